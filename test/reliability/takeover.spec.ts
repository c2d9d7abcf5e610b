import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, describe, expect, it } from '@jest/globals';
import { AIMessageChunk } from '@langchain/core/messages';
import { ChatGenerationChunk } from '@langchain/core/outputs';
import { filter, firstValueFrom } from 'rxjs';
import { z } from 'zod';
import type { AgentContext } from '../../src/agents/agent.js';
import { createChatAgent } from '../../src/agents/langgraph/chat.agent.js';
import { foldRun } from '../../src/events/run-view.js';
import type { AppendResult, EventLog } from '../../src/runs/event-log.js';
import { ADA, aborted, processWith, type TestProcess } from '../../src/runs/run.testing.js';
import { MemoryStorage } from '../../src/storage/memory/memory.storage.js';
import { checkHistory } from '../../src/testing/history/history-checker.js';
import { createAnswer, ScriptedAgent } from '../../src/testing/scripted.agent.js';
import { SeededModel } from '../harness/seeded.model.js';
import type { Storage } from '../../src/storage/storage.js';
import type { Tool } from '../../src/tools/agent-tool.js';
import { ToolRegistry } from '../../src/tools/tool.registry.js';
import { ToolTrackingService } from '../../src/tools/tool-tracking.service.js';
import { gate } from '../support/chat.server.js';

const LEASE_MS = 4_000;

describe('run that is taken over', () => {
  const processes: TestProcess[] = [];
  afterEach(async () => {
    await Promise.all(processes.splice(0).map(({ executor }) => executor.drain(0)));
  });

  /** A storage whose clock only the test moves, and processes that share it. */
  function sharedStorage() {
    let now = 1_800_000_000_000;
    const storage = new MemoryStorage({ clock: () => now });
    return {
      storage,
      pass: (ms: number) => void (now += ms),
      start: async (process: TestProcess) => {
        processes.push(process);
        await process.executor.start();
        return process;
      },
    };
  }

  it('completes a run under its next owner, and appends nothing from the owner that was frozen', async () => {
    const { storage, pass, start } = sharedStorage();
    const [spoke, thaw] = [gate(), gate()];
    const results: AppendResult[][] = [];
    let frozen: AgentContext | undefined;
    const first = await start(
      processWith(
        [
          new ScriptedAgent(async (_, context) => {
            frozen = context;
            const [stepStart, textStart, word] = createAnswer(context, ['half ', 'never']);
            for (const event of [stepStart, textStart, word]) void context.emit(event!);
            await context.recorded();
            spoke.open();
            await thaw.opened;
            for (const event of createAnswer(context, ['too ', 'late'], 'late')) void context.emit(event);
            await aborted(context.signal);
          }),
        ],
        { storage: witnessed(storage, results) },
      ),
    );
    const run = await first.runs.start({ principal: ADA, message: 'hello' });
    await spoke.opened;

    pass(LEASE_MS + 1);
    const second = await start(
      processWith([new ScriptedAgent((_, context) => say(context, ['all ', 'of it']))], { storage }),
    );
    const log = await second.readLog(run.id);
    thaw.open();
    await aborted(frozen!.signal);

    expect(results.at(-1)).toEqual(['fenced']);
    expect(await second.readLog(run.id)).toEqual(log);
    expect(checkHistory({ runId: run.id, log, readers: [] })).toEqual([]);
    expect(foldRun(run.id, log).parts).toMatchObject([{ kind: 'text', text: 'all of it' }]);
  });

  it('aborts the model call of a frozen owner', async () => {
    const { storage, pass, start } = sharedStorage();
    const asked = gate();
    const model = new SeededModel({ seed: 1, attempt: 1, paceMs: 1e9 });
    const speak = model._streamResponseChunks.bind(model);
    let signal: AbortSignal | undefined;
    model._streamResponseChunks = (messages, options, manager) => {
      signal = options.signal;
      asked.open();
      return speak(messages, options, manager);
    };
    const first = await start(processWith([chatAgent(storage, { model })], { storage }));
    const run = await first.runs.start({ principal: ADA, message: 'hello' });
    await asked.opened;

    pass(LEASE_MS + 1);
    const next = new SeededModel({ seed: 1, attempt: 2, paceMs: 0 });
    const second = await start(processWith([chatAgent(storage, { model: next })], { storage }));
    const log = await second.readLog(run.id);
    // Nobody tells the frozen one: it learns from its next renewal that it has lost the run.
    await aborted(signal!);
    expect(checkHistory({ runId: run.id, log, readers: [] })).toEqual([]);
    expect(log.at(-1)?.event).toMatchObject({ type: 'end', outcome: 'completed' });
  });

  it('shows a completed tool call once through repeated takeovers in the middle of its sibling', async () => {
    const { storage, pass, start } = sharedStorage();
    const quick = tool('quick', async () => 'done');
    let run: { readonly id: string } | undefined;
    for (const life of [1, 2, 3]) {
      const reached = gate();
      const slow = tool('slow', async (_, { signal }) => {
        if (life === 3) return 'done';
        reached.open();
        await aborted(signal);
      });
      const agent = chatAgent(storage, { model: callsEach(['quick', 'slow']), tools: [quick, slow] });
      const process = await start(processWith([agent], { storage }));
      run ??= await process.runs.start({ principal: ADA, message: 'hello' });
      if (life === 3) break;
      await reached.opened;
      // The quick one's result is in the checkpoint once its step has ended; then the owner is taken for dead.
      const ended = process.feed.follow({ runId: run.id, afterSeq: 0 });
      await firstValueFrom(
        ended.pipe(filter(({ event }) => event.type === 'step-end' && event.name === 'tools')),
      );
      pass(LEASE_MS + 1);
    }
    const log = await processes.at(-1)!.readLog(run!.id);
    expect(checkHistory({ runId: run!.id, log, readers: [] })).toEqual([]);
    const tools = foldRun(run!.id, log).parts.filter(({ kind }) => kind === 'tool');
    const names = new Set(tools.map((part) => part.kind === 'tool' && part.toolName));
    expect([tools.length, names]).toEqual([2, new Set(['quick', 'slow'])]);
  });

  it('executes a run outside the async context of the code that started it', async () => {
    const { storage, start } = sharedStorage();
    const ambient = new AsyncLocalStorage<string>();
    const found: unknown[] = [];
    const agent = new ScriptedAgent(() => void found.push(ambient.getStore()));
    const process = await start(processWith([agent], { storage }));
    // LangGraph takes a graph that is started inside another graph's task for a part of that, and keeps its memory there.
    const run = await ambient.run("another run's tool", () =>
      process.runs.start({ principal: ADA, message: 'hello' }),
    );
    await process.readLog(run.id);
    expect(found).toEqual([undefined]);
  });

  it("stores the start of a call with side effect 'once' before making the call", async () => {
    const { storage, start } = sharedStorage();
    const found: string[][] = [];
    const pay = tool('pay', async (_, { runId }) => {
      found.push((await storage.log.read(runId, 0, 1_000)).map(({ event }) => event.type));
      return 'paid';
    });
    const agent = chatAgent(storage, { model: callsEach(['pay']), tools: [{ ...pay, sideEffect: 'once' }] });
    const process = await start(processWith([agent], { storage }));
    const run = await process.runs.start({ principal: ADA, message: 'hello' });
    await process.readLog(run.id);
    expect(found).toEqual([expect.arrayContaining(['tool-start'])]);
  });
});

function say(context: AgentContext, words: readonly string[]): void {
  for (const event of createAnswer(context, words)) void context.emit(event);
}

/** The same storage; what its log answers to appends is written down. */
function witnessed(storage: MemoryStorage, results: AppendResult[][]): Storage {
  const log: EventLog = {
    append: async (batches) => {
      const answers = await storage.log.append(batches);
      results.push([...answers]);
      return answers;
    },
    read: (...place) => storage.log.read(...place),
    readPage: (...place) => storage.log.readPage(...place),
  };
  return Object.assign(Object.create(storage) as Storage, { log });
}

function chatAgent(
  storage: Storage,
  { model, tools = [] }: { readonly model: SeededModel; readonly tools?: readonly Tool[] },
) {
  const registry = new ToolRegistry();
  for (const each of tools) registry.register(each, 'a test');
  const tracking = new ToolTrackingService(registry);
  const { checkpointer } = storage;
  return createChatAgent({
    name: 'chat',
    description: 'Chats.',
    model,
    tools: registry,
    tracking,
    checkpointer,
  });
}

function tool(name: string, execute: Tool['execute']): Tool {
  return { name, description: name, label: name, input: z.object({}), execute };
}

/** Calls these tools, all at once; answers when they have answered. */
function callsEach(names: readonly string[]): SeededModel {
  const model = new SeededModel({ seed: 1, attempt: 1 });
  model._streamResponseChunks = async function* (messages) {
    const answered = messages.some(({ type }) => type === 'tool');
    const tool_call_chunks = names.map((name, index) => ({
      type: 'tool_call_chunk' as const,
      index,
      id: `call-${name}`,
      name,
      args: '{}',
    }));
    const message = new AIMessageChunk(answered ? { content: 'Done.' } : { content: '', tool_call_chunks });
    yield new ChatGenerationChunk({ text: '', message });
  };
  return model;
}

import { afterEach, describe, expect, it } from '@jest/globals';
import { AIMessage } from '@langchain/core/messages';
import type { RunnableConfig } from '@langchain/core/runnables';
import { END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { emptyCheckpoint, uuid6, type CheckpointMetadata } from '@langchain/langgraph-checkpoint';
import type { AgentContext, Ancestor } from '../../src/agents/agent.js';
import { findBranchCheckpoint } from '../../src/agents/langgraph/branch-checkpoint.js';
import { readRunId, withRunId } from '../../src/agents/langgraph/checkpoint-run.js';
import {
  chat,
  graphAgent,
  hang,
  reached,
  scripted,
} from '../../src/agents/langgraph/langgraph-stack.testing.js';
import type { CreateAgent } from '../../src/agents/langgraph/langgraph-stack.testing.js';
import { STOPPED } from '../../src/agents/langgraph/thread-messages.js';
import { NO_ANSWER } from '../../src/agents/langgraph/repair-history.js';
import { foldRun, getText } from '../../src/events/run-view.js';
import { ADA, processWith, type TestProcess } from '../../src/runs/run.testing.js';
import type { Storage } from '../../src/storage/storage.js';
import { createAnswer, ScriptedAgent } from '../../src/testing/scripted.agent.js';
import { ToolRegistry } from '../../src/tools/tool.registry.js';
import { ToolTrackingService } from '../../src/tools/tool-tracking.service.js';
import { SHARED_KINDS, testStorages, type StorageChoices } from '../support/storages.js';

interface Start {
  readonly agent?: string;
  readonly threadId?: string;
  readonly parentRunId?: string | null;
  readonly replaces?: string;
}

/** Says which questions it has heard. */
const listening = graphAgent(
  new StateGraph(MessagesAnnotation)
    .addNode('listen', ({ messages }) => {
      const heard = messages.filter((message) => message.getType() === 'human').map(({ text }) => text);
      return { messages: [new AIMessage(`heard ${heard.join(', ')}`)] };
    })
    .addEdge(START, 'listen')
    .addEdge('listen', END),
);

/** An agent that keeps nothing in the storage. */
const forgetful = new ScriptedAgent(
  async (_, context) => {
    for (const event of createAnswer(context, ['noted'])) await context.emit(event);
  },
  { name: 'forgetful' },
);

const thread: RunnableConfig = { configurable: { thread_id: 't1', checkpoint_ns: '' } };

interface State {
  readonly id: string;
  readonly runId: string;
  readonly values: Readonly<Record<string, unknown>>;
  readonly versions: Readonly<Record<string, number>>;
  /** Default: all of them. */
  readonly written?: Readonly<Record<string, number>>;
}

async function put(
  { checkpointer }: Storage,
  { id, runId, values, versions, written = versions }: State,
): Promise<void> {
  const checkpoint = { ...emptyCheckpoint(), id, channel_values: values, channel_versions: versions };
  const facts: CheckpointMetadata = { source: 'loop', step: 0, parents: {} };
  await checkpointer.put(thread, checkpoint, withRunId(facts, runId), written);
}

describe.each(SHARED_KINDS)('the states of a thread on %s', (kind) => {
  const storages = testStorages();
  let storage: Storage;
  let server: TestProcess | undefined;

  async function open(options: StorageChoices = {}): Promise<void> {
    storage = await storages.make(kind, options);
    await storage.open();
  }

  async function begin(createAgent: CreateAgent): Promise<void> {
    await open();
    const registry = new ToolRegistry();
    const agent = createAgent(storage, new ToolTrackingService(registry), registry);
    server = processWith([agent, forgetful], { storage, whenBusy: 'queue' });
    await server.executor.start();
  }

  afterEach(async () => {
    await server?.executor.drain(0);
    server = undefined;
    await storage.close();
  });

  async function ask(message: string, start: Start = {}) {
    const { id, threadId } = await server!.runs.start({ principal: ADA, message, ...start });
    const log = await server!.readLog(id);
    return { id, threadId, text: getText(foldRun(id, log)), end: log.at(-1)?.event };
  }

  it('go on after an agent that stores none, and from before the first that has any', async () => {
    await begin(listening);
    const { threadId } = await ask('one', { agent: 'graph' });
    await ask('aside', { agent: 'forgetful', threadId });
    const three = await ask('three', { agent: 'graph', threadId });
    expect(three.text).toBe('heard one, three');
    expect((await ask('four', { agent: 'graph', threadId })).text).toBe('heard one, three, four');
    const noted = await ask('first', { agent: 'forgetful' });
    const next = await ask('next', { agent: 'graph', threadId: noted.threadId });
    expect((await ask('', { agent: 'graph', replaces: next.id })).text).toBe('heard next');
  });

  it('have what was said in a run that was stopped, and the question of one that was stopped before it began', async () => {
    const model = scripted((messages) =>
      messages.at(-1)?.text === 'one'
        ? { chunks: ['half ', 'said'], hold: hang }
        : {
            chunks: [
              messages
                .filter(({ type }) => type !== 'system')
                .map(({ text }) => text)
                .join('|'),
            ],
          },
    );
    await begin(chat(model));
    const one = await server!.runs.start({ principal: ADA, message: 'one' });
    const { threadId } = one;
    await reached(server!, one.id, ({ type }) => type === 'text-delta');
    const two = await server!.runs.start({ principal: ADA, message: 'two', threadId });
    await server!.runs.cancel(ADA, two.id);
    await server!.runs.cancel(ADA, one.id);
    const said = getText(foldRun(one.id, await server!.readLog(one.id)));
    await server!.readLog(two.id);
    const three = await ask('three', { threadId });
    expect(said).toMatch(/^half/);
    expect(three.text).toBe(`one|${said.trim()}\n\n${STOPPED}|two|${NO_ANSWER}|three`);
    expect((await ask('four', { threadId })).text).toBe(
      `one|${said.trim()}\n\n${STOPPED}|two|${NO_ANSWER}|three|${three.text}|four`,
    );
  });

  it('take no more bytes than allowed: those of the oldest runs go, and never the newest', async () => {
    await open({ statesMaxBytes: 5_500 });
    const kept = async () => {
      const runs: unknown[] = [];
      for await (const { metadata, checkpoint } of storage.checkpointer.list(thread)) {
        expect(checkpoint.channel_values['shared']).toBe('in all of them');
        runs.push(readRunId(metadata));
      }
      return runs;
    };
    const putState = (index: number, bytes: number) =>
      put(storage, {
        id: uuid6(index),
        runId: `run-${index}`,
        values: { text: 'x'.repeat(bytes), shared: 'in all of them' },
        versions: { text: index + 1, shared: 1 },
        written: { text: index + 1, ...(index === 0 && { shared: 1 }) },
      });
    for (let index = 0; index < 8; index += 1) await putState(index, 1_000);
    expect(await kept()).toEqual(['run-7', 'run-6', 'run-5', 'run-4']);
    await putState(8, 20_000);
    expect(await kept()).toEqual(['run-8', 'run-7']);
    await putState(9, 1_000);
    await putState(10, 1_000);
    expect(await kept()).toEqual(['run-10', 'run-9']);
  });

  it('take no more bytes than allowed with what their steps have written', async () => {
    await open({ statesMaxBytes: 8_000 });
    const write = ['text', 'x'.repeat(3_000)] as const;
    for (let index = 0; index < 6; index += 1) {
      const id = uuid6(index);
      await put(storage, { id, runId: `run-${index}`, values: { text: 'x' }, versions: { text: index + 1 } });
      const config = { configurable: { ...thread.configurable, checkpoint_id: id } };
      await storage.checkpointer.putWrites(config, [[...write]], `task-${index}`);
    }
    const runs: unknown[] = [];
    for await (const { metadata } of storage.checkpointer.list(thread)) runs.push(readRunId(metadata));
    expect(runs).toEqual(['run-5', 'run-4', 'run-3']);
  });

  describe('whose writers have different clocks', () => {
    const ids = Array.from({ length: 4 }, (_, index) => uuid6(index));
    const place: Pick<AgentContext, 'runId' | 'parentId' | 'attempt' | 'ancestors'> = {
      runId: 'second',
      parentId: 'first',
      attempt: 2,
      ancestors: async function* (): AsyncGenerator<Ancestor> {
        yield { id: 'first', status: 'completed', isBeforeOthers: false };
      },
    };

    /** The second run's process is behind: its states come before those of the first. */
    async function putBoth(): Promise<void> {
      const [earliest = '', ...later] = ids;
      const written = [...later.map((id) => ({ id, runId: 'first' })), { id: earliest, runId: 'second' }];
      for (const [index, { id, runId }] of written.entries()) {
        await put(storage, { id, runId, values: { text: runId }, versions: { text: index + 1 } });
      }
    }

    it('are found by a takeover, which does not begin again after the run before', async () => {
      await open();
      await putBoth();
      const own = await findBranchCheckpoint(storage.checkpointer, thread, place, { mayHaveOwn: true });
      expect(own?.checkpoint.channel_values).toEqual({ text: 'second' });
      const before = await findBranchCheckpoint(storage.checkpointer, thread, place, { mayHaveOwn: false });
      expect(before?.checkpoint.channel_values).toEqual({ text: 'first' });
    });
  });
});

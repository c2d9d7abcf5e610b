import { expect } from '@jest/globals';
import type { BaseMessage } from '@langchain/core/messages';
import { filter, firstValueFrom } from 'rxjs';
import { z } from 'zod';
import type { RecordedEvent } from '../../events/recorded-event.js';
import type { RunEvent } from '../../events/run-event.js';
import { foldRun, textOf } from '../../events/run-view.js';
import { NOTHING_OPEN, trackOpen, type OpenItems } from '../../runs/open-items.js';
import { ApprovalService } from '../../runs/approval.service.js';
import { ADA, processWith, type Process, type ProcessOptions } from '../../runs/run.testing.js';
import { SqliteStorage } from '../../storage/sqlite/sqlite.storage.js';
import type { Tool } from '../../tools/agent-tool.js';
import { ToolRegistry } from '../../tools/tool.registry.js';
import { ToolTrackingService } from '../../tools/tool-tracking.service.js';
import { createChatAgent } from './chat.agent.js';
import type { CompiledGraph } from './graph.loader.js';
import { LangGraphAgent } from './langgraph.agent.js';
import { ScriptedModel, type Reply } from './langgraph.testing.js';

export const NOTE = z.object({ note: z.string() });

/** A tool of the registry that takes a note. */
export function noteTool(name: string, execute: Tool<typeof NOTE>['execute']): Tool<typeof NOTE> {
  return { name, label: `Using ${name}`, description: name, input: NOTE, execute };
}

export const call = (id: string, name = 'note', args = '{"note":"x"}') => ({ id, name, args });
export const hang = (signal: AbortSignal | undefined) =>
  new Promise<void>((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error)));

export interface Stack extends Process {
  readonly approvals: ApprovalService;
  readonly ask: (message: string, threadId?: string) => Promise<{ id: string; threadId: string }>;
  readonly answerTo: (message: string, threadId?: string) => Promise<Answered>;
  readonly messagesOf: (threadId: string) => Promise<BaseMessage[]>;
}

export interface Answered {
  readonly threadId: string;
  readonly log: RecordedEvent[];
  readonly text: string;
}

const storages: SqliteStorage[] = [];
const processes: Process[] = [];

export async function openStorage(clock?: () => number): Promise<SqliteStorage> {
  const storage = new SqliteStorage({ directory: ':memory:', ...(clock && { clock }) });
  storages.push(storage);
  await storage.open();
  return storage;
}

export type AgentOf = (
  storage: SqliteStorage,
  tracking: ToolTrackingService,
  registry: ToolRegistry,
) => LangGraphAgent;

/** The whole of a process: service, executor, agent, recorder, feed, over SQLite. */
export async function stackWith(
  agentOf: AgentOf,
  {
    tools = [],
    storage,
    ...options
  }: Omit<ProcessOptions, 'storage'> & {
    readonly tools?: readonly Tool<typeof NOTE>[];
    readonly storage?: SqliteStorage;
  } = {},
): Promise<Stack> {
  const opened = storage ?? (await openStorage());
  const registry = new ToolRegistry();
  for (const declared of tools) registry.register(declared, 'Spec');
  const agent = agentOf(opened, new ToolTrackingService(registry), registry);
  const worker = processWith([agent], { ...options, storage: opened });
  processes.push(worker);
  await worker.executor.start();
  const ask: Stack['ask'] = (message, threadId) =>
    worker.runs.start({ principal: ADA, message, ...(threadId && { threadId }) });
  return {
    ...worker,
    approvals: new ApprovalService(worker.runs, opened.runs, opened.wakeups, registry),
    ask,
    answerTo: async (message, known) => {
      const { id, threadId } = await ask(message, known);
      const log = await worker.logOf(id);
      expectValid(log);
      return { threadId, log, text: textOf(foldRun(id, log)) };
    },
    messagesOf: async (threadId) => {
      const tuple = await opened.checkpointer.getTuple({ configurable: { thread_id: threadId } });
      return (tuple?.checkpoint.channel_values['messages'] ?? []) as BaseMessage[];
    },
  };
}

export const chat =
  (model: ScriptedModel): AgentOf =>
  ({ checkpointer }, tracking, registry) =>
    createChatAgent({ name: 'chat', description: 'Chats.', model, tools: registry, tracking, checkpointer });

export const graphAgent =
  (graph: unknown, recursionLimit?: number): AgentOf =>
  ({ checkpointer }, tracking) =>
    new LangGraphAgent({
      name: 'graph',
      description: 'A graph of a team.',
      graph: graph as CompiledGraph,
      tracking,
      checkpointer,
      ...(recursionLimit !== undefined && { recursionLimit }),
    });

export const scripted = (script: (messages: readonly BaseMessage[], call: number) => Reply) =>
  new ScriptedModel(script);

/** What holds for every log: consecutive seqs, nothing without its step, nothing left open. */
export function expectValid(log: readonly RecordedEvent[]): void {
  expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1));
  let open: OpenItems = NOTHING_OPEN;
  for (const { event, at } of log) {
    const isIn = (items: readonly object[], name: string) =>
      items.some((item) => Reflect.get(item, name) === Reflect.get(event, name));
    if (/^(text|reasoning|tool)-start$/.test(event.type)) expect(isIn(open.steps, 'stepId')).toBe(true);
    if (event.type.endsWith('-delta')) expect(isIn(open.parts, 'partId')).toBe(true);
    if (event.type === 'step-end') {
      const { stepId } = event;
      expect([...open.parts, ...open.tools].filter((item) => item.stepId === stepId)).toEqual([]);
    }
    if (event.type === 'end') expect({ ...open, approvals: [] }).toEqual(NOTHING_OPEN);
    open = trackOpen(open, event, at);
  }
  expect(log.at(-1)?.event.type).toBe('end');
}

export const endOf = ({ log }: Pick<Answered, 'log'>) => log.at(-1)?.event;
export const toolEnds = (log: readonly RecordedEvent[]) =>
  log.flatMap(({ event }) => (event.type === 'tool-end' ? [`${event.toolCallId} ${event.outcome}`] : []));
export const reached = (stack: Process, id: string, test: (event: RunEvent) => boolean) =>
  firstValueFrom(stack.feed.follow({ runId: id, afterSeq: 0 }).pipe(filter(({ event }) => test(event))));

/** Stops what the test has started. */
export async function closeStacks(): Promise<void> {
  await Promise.all(processes.splice(0).map(({ executor }) => executor.drain(0)));
  await Promise.all(storages.splice(0).map((storage) => storage.close()));
}

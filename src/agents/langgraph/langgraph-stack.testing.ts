import { expect } from '@jest/globals';
import type { BaseChatModel } from '@langchain/core/language_models/chat_models';
import type { BaseMessage } from '@langchain/core/messages';
import { MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { filter, firstValueFrom } from 'rxjs';
import { z } from 'zod';
import type { RecordedEvent } from '../../events/recorded-event.js';
import type { RunEvent } from '../../events/run-event.js';
import { foldRun, getText } from '../../events/run-view.js';
import { NOTHING_OPEN, trackOpen, type OpenItems } from '../../runs/open-items.js';
import { InputService } from '../../runs/input.service.js';
import { ADA, processWith, type TestProcess, type ProcessOptions } from '../../runs/run.testing.js';
import { SqliteStorage } from '../../storage/sqlite/sqlite.storage.js';
import type { Storage } from '../../storage/storage.js';
import type { Tool } from '../../tools/agent-tool.js';
import { ToolRegistry } from '../../tools/tool.registry.js';
import { ToolTrackingService } from '../../tools/tool-tracking.service.js';
import { createChatAgent, type ChatAgentOptions } from './chat.agent.js';
import type { GraphSource } from './graph-source.js';
import { LangGraphAgent } from './langgraph.agent.js';
import type { LangGraphAgentOptions } from './langgraph-agent.options.js';
import { ScriptedModel } from './langgraph.testing.js';

type Node = (state: { messages: BaseMessage[] }) => unknown;

/** Creates a graph that goes through these nodes, one after the other. */
export function chain(...nodes: readonly Node[]) {
  const graph = new StateGraph(MessagesAnnotation) as unknown as {
    addNode(name: string, node: Node): void;
    addEdge(from: string, to: string): void;
    compile(options?: object): unknown;
  };
  nodes.forEach((node, index) => {
    graph.addNode(`n${index}`, node);
    graph.addEdge(index === 0 ? START : `n${index - 1}`, `n${index}`);
  });
  return graph;
}

export const NOTE = z.object({ note: z.string() });

/** A tool of the registry that takes a note. */
export function noteTool(name: string, execute: Tool<typeof NOTE>['execute']): Tool<typeof NOTE> {
  return { name, label: `Using ${name}`, description: name, input: NOTE, execute };
}

export const call = (id: string, name = 'note', args = '{"note":"x"}') => ({ id, name, args });
export const hang = (signal: AbortSignal | undefined) =>
  new Promise<void>((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error)));

export interface Stack extends TestProcess {
  readonly inputs: InputService;
  readonly ask: (message: string, threadId?: string) => Promise<{ id: string; threadId: string }>;
  readonly answerTo: (message: string, threadId?: string) => Promise<AskedStack>;
  readonly readMessages: (threadId: string) => Promise<BaseMessage[]>;
}

export interface AskedStack {
  readonly threadId: string;
  readonly log: RecordedEvent[];
  readonly text: string;
}

const storages: SqliteStorage[] = [];
const processes: TestProcess[] = [];

export async function openStorage(clock?: () => number): Promise<SqliteStorage> {
  const storage = new SqliteStorage({ directory: ':memory:', ...(clock && { clock }) });
  storages.push(storage);
  await storage.open();
  return storage;
}

export type CreateAgent = (
  storage: Storage,
  tracking: ToolTrackingService,
  registry: ToolRegistry,
) => LangGraphAgent;

/** The whole of a process: service, executor, agent, recorder, feed, over SQLite. */
export async function stackWith(
  createAgent: CreateAgent,
  {
    tools = [],
    storage,
    ...options
  }: Omit<ProcessOptions, 'storage'> & {
    readonly tools?: readonly Tool<typeof NOTE>[];
    /** An open storage. The caller closes it. */
    readonly storage?: Storage;
  } = {},
): Promise<Stack> {
  const opened = storage ?? (await openStorage());
  const registry = new ToolRegistry();
  for (const declared of tools) registry.register(declared, 'Spec');
  const agent = createAgent(opened, new ToolTrackingService(registry), registry);
  const worker = processWith([agent], { ...options, storage: opened });
  processes.push(worker);
  await worker.executor.start();
  const ask: Stack['ask'] = (message, threadId) =>
    worker.runs.start({ principal: ADA, message, ...(threadId && { threadId }) });
  return {
    ...worker,
    inputs: new InputService(worker.runs, opened.runs, opened.wakeups, registry),
    ask,
    answerTo: async (message, known) => {
      const { id, threadId } = await ask(message, known);
      const log = await worker.readLog(id);
      expectValid(log);
      return { threadId, log, text: getText(foldRun(id, log)) };
    },
    readMessages: async (threadId) => {
      const tuple = await opened.checkpointer.getTuple({ configurable: { thread_id: threadId } });
      return (tuple?.checkpoint.channel_values['messages'] ?? []) as BaseMessage[];
    },
  };
}

export const chat =
  (model: BaseChatModel, options: Partial<ChatAgentOptions> = {}): CreateAgent =>
  ({ checkpointer }, tracking, registry) =>
    createChatAgent({
      name: 'chat',
      description: 'Chats.',
      model,
      tools: registry,
      tracking,
      checkpointer,
      ...options,
    });

export const graphAgent =
  (graph: unknown, options: Partial<LangGraphAgentOptions> = {}): CreateAgent =>
  ({ checkpointer }, tracking) =>
    new LangGraphAgent({
      name: 'graph',
      description: 'A graph of a team.',
      graph: graph as GraphSource,
      tracking,
      checkpointer,
      ...options,
    });

export const scripted = (...options: ConstructorParameters<typeof ScriptedModel>) =>
  new ScriptedModel(...options);

/** Expects the rules of every log: consecutive seqs, nothing without its step, nothing left open. */
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
    if (event.type === 'end') expect({ ...open, inputs: [] }).toEqual(NOTHING_OPEN);
    open = trackOpen(open, event, at);
  }
  expect(log.at(-1)?.event.type).toBe('end');
}

/** Returns an answer as people see it and as its graph's state has it, both message by message. */
export async function seenAndStored(
  stack: Stack,
  { threadId, log }: Pick<AskedStack, 'threadId' | 'log'>,
): Promise<{ readonly seen: readonly string[]; readonly stored: readonly string[] }> {
  const messages = await stack.readMessages(threadId);
  const asked = messages.findLastIndex((message) => message.getType() === 'human');
  const stored = messages
    .slice(asked + 1)
    .filter((message) => message.getType() === 'ai' && message.text !== '');
  const { parts } = foldRun('run', log);
  return {
    seen: parts.flatMap((part) => (part.kind === 'text' ? [part.text] : [])),
    stored: stored.map(({ text }) => text),
  };
}

export const getEnd = ({ log }: { readonly log: readonly RecordedEvent[] }) => log.at(-1)?.event;
export const toolEnds = (log: readonly RecordedEvent[]) =>
  log.flatMap(({ event }) => (event.type === 'tool-end' ? [`${event.toolCallId} ${event.outcome}`] : []));
export const reached = (stack: TestProcess, id: string, test: (event: RunEvent) => boolean) =>
  firstValueFrom(stack.feed.follow({ runId: id, afterSeq: 0 }).pipe(filter(({ event }) => test(event))));

/** Stops what the test has started. */
export async function closeStacks(): Promise<void> {
  await Promise.all(processes.splice(0).map(({ executor }) => executor.drain(0)));
  await Promise.all(storages.splice(0).map((storage) => storage.close()));
}

import { coerceMessageLikeToMessage, type BaseMessage, type BaseMessageLike } from '@langchain/core/messages';
import { Command, END, REMOVE_ALL_MESSAGES, Send } from '@langchain/langgraph';
import { AppError } from '../../errors.js';
import type { AgentContext, GivenStateChange } from '../agent.js';
import { ACTIVE_RUN, type ActiveRun } from './active-run.js';
import type { ExposedState } from './exposed-state.js';
import type { CompiledGraph } from './graph-source.js';
import { createMessageNames, type MessageNames } from './message-names.js';
import type { KeptStates } from './kept-states.js';
import type { Prepared } from './start-input.js';
import { emitMessageChanges, toChangeStep } from './told-messages.js';
import { collectMessages, type ThreadMessages } from './thread-state.js';

/** LangGraph's name, in an update, for the input of the graph. */
const INPUT = '__input__';

/** LangGraph's names for the source of a checkpoint that a change has made. */
const CHANGES: ReadonlySet<string | undefined> = new Set(['update', 'input']);

/** The run that changes the state of its graph. */
interface ChangingRun {
  readonly graph: CompiledGraph;
  readonly configurable: Readonly<Record<string, unknown>>;
  readonly active: ActiveRun;
  readonly context: AgentContext;
  readonly exposed: ExposedState | undefined;
  readonly read: () => Promise<ThreadMessages>;
  readonly states: KeptStates | undefined;
}

interface ChangedThread {
  readonly thread: ThreadMessages;
  /** The input with which the graph goes on, if it does. */
  readonly input: Prepared;
}

/**
 * Changes the state of a thread by a checkpoint of the run's own, and emits what people see of it. The checkpoint of the run before stays as it is, so that it can be
 * continued otherwise. A later owner of the run does not change the state again.
 *
 * @throws AppError REQUEST_INVALID with what LangGraph has against the change
 */
export async function changeState(
  change: GivenStateChange,
  thread: ThreadMessages,
  run: ChangingRun,
): Promise<ChangedThread> {
  const { graph, configurable, active, context, exposed, read, states } = run;
  const isOwn = thread.runId === context.runId;
  const stepId = toChangeStep(context.runId);
  const isChanged = isOwn && CHANGES.has(thread.snapshot?.metadata?.source);
  // Steps that came after the change are in the log, and so is the change.
  if (isOwn && !isChanged) return { thread, input: null };
  // An earlier owner has made the change and told of it, and the graph has stored nothing since.
  if (isChanged && context.completedSteps.has(stepId)) return { thread, input: toInput(change) };
  if (!isOwn && change.updates.length === 0) checkTasks(thread);
  const before = isOwn ? await readParent(thread, run) : thread;
  const names = createMessageNames(change.known, before.seen);
  if (!isOwn) {
    const updates = change.updates.map((update) => ({
      ...update,
      values: toGraphValues(update.values, names),
    }));
    await orInvalid(() =>
      graph.bulkUpdateState(
        {
          configurable: {
            ...configurable,
            [ACTIVE_RUN]: { ...active, messagesNumbered: () => undefined, stateReached: () => undefined },
          },
        },
        toSupersteps(updates),
      ),
    );
  }
  const after = isOwn ? thread : await read();
  const { attempt } = context;
  const { asNode = 'update' } = change.updates[0] ?? {};
  const step = { stepId, name: asNode === END ? 'update' : asNode, attempt };
  const show = async (values: unknown) => {
    const state = exposed?.hear([], 'values', values);
    if (state) await context.emit(state);
  };
  await show(before.values);
  void context.emit({ type: 'step-start', ...step });
  emitMessageChanges({ before: before.seen, after: after.seen }, { names, context });
  for (const { values } of change.updates) exposed?.hear([], 'tasks', { id: stepId, result: values });
  await show(after.values);
  states?.changed(after);
  await context.emit({ type: 'step-end', ...step });
  return { thread: after, input: toInput(change) };
}

/** Returns the steps that make these changes. The one that ends the graph has to be alone. */
function toSupersteps<Update extends { readonly asNode?: string }>(
  updates: readonly Update[],
): { updates: (Update | { values: null })[] }[] {
  const changes = updates.filter(({ asNode }) => asNode !== END);
  const ends = updates.filter(({ asNode }) => asNode === END);
  const supersteps = [changes, ends].flatMap((each) => (each.length > 0 ? [{ updates: [...each] }] : []));
  // Without an update: a copy of the state, which the run writes to.
  return supersteps.length > 0 ? supersteps : [{ updates: [{ values: null }] }];
}

/** Refuses to go on where some tasks of a step have finished: a copy of the state has none of their results, and they would run again. @throws AppError REQUEST_INVALID */
function checkTasks({ snapshot }: ThreadMessages): void {
  const { tasks = [] } = snapshot ?? {};
  const finished = tasks.filter(({ result }) => result !== undefined);
  if (finished.length === 0 || finished.length === tasks.length) return;
  throw new AppError(
    'REQUEST_INVALID',
    'The last run stopped when only some nodes of a step had finished, and these would run again. Send a message or an update.',
  );
}

/** Refuses changes that name nodes or keys that the graph does not have. @throws AppError REQUEST_INVALID */
export function checkStateChange({ nodes, channels }: CompiledGraph, change: GivenStateChange): void {
  const { updates, goto = [] } = change;
  const named = [
    ...updates.flatMap(({ asNode }) => (asNode === undefined ? [] : [asNode])),
    ...goto.map((target) => (typeof target === 'string' ? target : target.node)),
  ];
  const node = named.find((name) => name !== INPUT && name !== END && !Object.hasOwn(nodes as object, name));
  if (node !== undefined) throw new AppError('REQUEST_INVALID', `The agent has no node '${node}'.`);
  const keys = updates.flatMap(({ values }) => Object.keys(values ?? {}));
  const key = keys.find((name) => !Object.hasOwn(channels as object, name) || isInternal(name));
  if (key !== undefined) throw new AppError('REQUEST_INVALID', `values: The state has no '${key}'.`);
}

/** Channels by which LangGraph says what is next. */
function isInternal(name: string): boolean {
  return name.startsWith('__') || name.startsWith('branch:') || name.startsWith('join:');
}

function toInput({ goto = [] }: GivenStateChange): Prepared {
  if (goto.length === 0) return null;
  return new Command({
    goto: goto.map((target) => (typeof target === 'string' ? target : new Send(target.node, target.input))),
  });
}

async function readParent(
  { snapshot }: ThreadMessages,
  { graph, configurable }: ChangingRun,
): Promise<ThreadMessages> {
  const { checkpoint_id } = snapshot?.parentConfig?.configurable ?? {};
  if (checkpoint_id === undefined) return { seen: [], stored: [] };
  const { values } = await graph.getState({ configurable: { ...configurable, checkpoint_id } });
  const seen = collectMessages(values);
  return { seen, stored: seen, values };
}

/** Returns the values with messages as LangChain has them, under the ids that they have in the state. */
function toGraphValues(
  values: Readonly<Record<string, unknown>> | null,
  names: MessageNames,
): Record<string, unknown> | null {
  if (!values || !('messages' in values)) return values;
  const { messages } = values;
  const all = (Array.isArray(messages) ? messages : [messages]).map((like: unknown) =>
    toMessage(like, names),
  );
  return { ...values, messages: all };
}

function toMessage(like: unknown, names: MessageNames): BaseMessage {
  let message: BaseMessage;
  try {
    message = coerceMessageLikeToMessage(like as BaseMessageLike);
  } catch (cause) {
    throw new AppError('REQUEST_INVALID', 'values.messages: This is not a message.', { cause });
  }
  if (message.id === REMOVE_ALL_MESSAGES)
    throw new AppError('REQUEST_INVALID', 'values.messages: Remove messages one by one, by their ids.');
  if (message.id !== undefined) message.id = names.toGraphId(message.id);
  return message;
}

/** Begins the message with which LangGraph refuses a value that a key of a `StateSchema` does not take. */
const UNFIT = /^Validation failed for field "([^"]{1,256})":/;

async function orInvalid(change: () => Promise<unknown>): Promise<void> {
  try {
    await change();
  } catch (error) {
    const { name, message } = error as Error;
    const [, field] = UNFIT.exec(message) ?? [];
    if (field !== undefined)
      throw new AppError('REQUEST_INVALID', `values.${field}: This does not fit the schema of the state.`, {
        cause: error,
      });
    if (name !== 'InvalidUpdateError') throw error;
    throw new AppError('REQUEST_INVALID', `values: ${message}`, { cause: error });
  }
}

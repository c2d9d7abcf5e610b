import { ToolMessage, type BaseMessage } from '@langchain/core/messages';
import type { StateSnapshot } from '@langchain/langgraph';
import type { BaseCheckpointSaver } from '@langchain/langgraph-checkpoint';
import { AppError } from '../../errors.js';
import { ACTIVE_RUN, type ActiveRun } from './active-run.js';
import { readRunId } from './checkpoint-run.js';
import { breakpointAt, type Breakpoint } from './graph-interrupts.js';
import type { CompiledGraph } from './graph-source.js';
import { unwrapOverwrite } from './message-shape.js';

/** The messages of a thread: those in its last checkpoint, and those that tasks have written besides. */
export interface ThreadMessages {
  readonly stored: readonly BaseMessage[];
  readonly seen: readonly BaseMessage[];
  /** The run that has stored the checkpoint. */
  readonly runId?: string | undefined;
  /** All of its state, as its graph has it. */
  readonly values?: unknown;
  /** The snapshot that this was read from. */
  readonly snapshot?: StateSnapshot;
}

export const NO_MESSAGES: ThreadMessages = { stored: [], seen: [] };

/** Reads the messages of a thread, with and without what is written but in no checkpoint yet. */
export async function readThread(
  graph: CompiledGraph,
  threadKey: string,
  active: ActiveRun,
): Promise<ThreadMessages> {
  const state = await readState(graph, threadKey, active);
  const seen = collectMessages(state.values);
  const runId = readRunId(state.metadata);
  // Only answers to tool calls are written by some tasks of a step and not yet by others.
  const known = { seen, runId, values: state.values as unknown, snapshot: state };
  if (!ToolMessage.isInstance(seen.at(-1))) return { ...known, stored: seen };
  return { ...known, stored: collectMessages((await graph.getState(state.config)).values) };
}

/** Reads what subgraphs have said that stopped in the middle. */
export async function readSubgraphMessages(
  graph: CompiledGraph,
  threadKey: string,
  active: ActiveRun,
): Promise<readonly BaseMessage[]> {
  return messagesInTasks(await readState(graph, threadKey, active, { subgraphs: true }));
}

/** Reads where the graph stopped because it was compiled to. */
export async function readBreakpoint(
  graph: CompiledGraph,
  threadKey: string,
  active: ActiveRun,
): Promise<Breakpoint | undefined> {
  const state = await readState(graph, threadKey, active, { subgraphs: true });
  const { checkpointer } = graph as { readonly checkpointer?: Partial<BaseCheckpointSaver> };
  return breakpointAt(
    state,
    await checkpointer?.getTuple?.({ configurable: { ...state.config.configurable, [ACTIVE_RUN]: active } }),
  );
}

/**
 * Reads the last state of a thread. What a task has written last may not fit it, as two values for a channel that takes one: that has failed its run, and
 * is dropped when new input comes. The state is then the one before.
 */
async function readState(
  graph: CompiledGraph,
  threadKey: string,
  active: ActiveRun,
  options?: { readonly subgraphs: boolean },
): Promise<StateSnapshot> {
  const configurable = { thread_id: threadKey, [ACTIVE_RUN]: active };
  try {
    return await graph.getState({ configurable }, options);
  } catch (error) {
    // There is no state to read, and no other one would do.
    if (error instanceof AppError) throw error;
    const { checkpointer } = graph as { readonly checkpointer?: Partial<BaseCheckpointSaver> };
    const last = await checkpointer?.getTuple?.({ configurable });
    if (!last) throw error;
    return graph.getState({ configurable: { ...last.config.configurable, ...configurable } }, options);
  }
}

/** Returns the messages among a task's writes, whether they come as a state update or as pairs of channel and value. */
export function collectMessages(result: unknown): BaseMessage[] {
  if (Array.isArray(result)) {
    const pair = result.find((write: unknown) => Array.isArray(write) && write[0] === 'messages') as
      [string, unknown] | undefined;
    return asArray(pair?.[1]);
  }
  return asArray((result as { messages?: unknown } | null | undefined)?.messages);
}

function messagesInTasks({ tasks }: StateSnapshot): readonly BaseMessage[] {
  return tasks.flatMap(({ state }) =>
    state && 'values' in state ? [...collectMessages(state.values), ...messagesInTasks(state)] : [],
  );
}

function asArray(written: unknown): BaseMessage[] {
  const value = unwrapOverwrite(written);
  if (value === undefined || value === null) return [];
  return (Array.isArray(value) ? value : [value]) as BaseMessage[];
}

import type { RunnableConfig } from '@langchain/core/runnables';
import type { BaseCheckpointSaver, CheckpointTuple } from '@langchain/langgraph-checkpoint';
import { AppError } from '../../errors.js';
import type { AgentContext, Ancestor } from '../agent.js';
import { toCheckpointKey } from './checkpoint-key.js';
import { readRunId } from './checkpoint-run.js';

/** The place of a run in its thread. */
export interface RunPlace extends Pick<AgentContext, 'runId' | 'parentId' | 'ancestors' | 'attempt'> {
  /** The id of the state in the middle of the run before, from which it goes on. Default: the last state of that run. */
  readonly fromCheckpoint?: string | undefined;
}

/** Earlier runs whose state is looked for. A thread keeps the states of no more. */
const MOST_ASKED = 100;

/**
 * Finds the newest checkpoint of a run's branch: one of its own, or else the last one of the nearest earlier run that has stored any. A run that went on from
 * the middle of the run before it, and has stored none, counts as having stored that state. In a thread without branches, that is the newest of all if
 * the clocks of all processes agree: the id of a checkpoint is a time.
 *
 * @param mayHaveOwn false if the run has stored none yet
 * @throws AppError STATE_EXPIRED if the state after the earlier run is no longer kept
 */
export async function findBranchCheckpoint(
  storage: BaseCheckpointSaver,
  config: RunnableConfig,
  { runId, parentId, ancestors, fromCheckpoint }: RunPlace,
  { mayHaveOwn }: { readonly mayHaveOwn: boolean },
): Promise<CheckpointTuple | undefined> {
  const newest = await storage.getTuple(config);
  if (!newest || !ancestors) return newest;
  const writer = readRunId(newest.metadata);
  if (writer === runId) return newest;
  const own = mayHaveOwn ? await findLast(storage, config, runId) : undefined;
  if (own) return own;
  if (fromCheckpoint !== undefined)
    return readState(storage, config, { id: fromCheckpoint, runId: parentId });
  if (writer !== undefined && writer === parentId) return newest;
  return findBefore(storage, config, { newest, ancestors: ancestors() });
}

/** Returns the last checkpoint of the nearest earlier run that has stored any, or the state that one went on from in the middle of another. */
async function findBefore(
  storage: BaseCheckpointSaver,
  config: RunnableConfig,
  { newest, ancestors }: { readonly newest: CheckpointTuple; readonly ancestors: AsyncIterable<Ancestor> },
): Promise<CheckpointTuple | undefined> {
  const writer = readRunId(newest.metadata);
  const expired: string[] = [];
  let hasPassedOthers = false;
  let from: string | undefined;
  for await (const ancestor of ancestors) {
    if (from !== undefined) return readState(storage, config, { id: from, runId: ancestor.id });
    hasPassedOthers ||= ancestor.isBeforeOthers;
    // Checkpoints from before branches name no run. They were stored in the order of the runs.
    if (ancestor.id === writer || (writer === undefined && !hasPassedOthers)) return newest;
    const last = expired.length < MOST_ASKED ? await findLast(storage, config, ancestor.id) : undefined;
    if (last) return last;
    if (mustHaveStored(ancestor)) expired.push(ancestor.id);
    from = ancestor.fromCheckpoint;
  }
  // The oldest states are pruned first: if the branch has none, those of its newest runs were pruned.
  if (expired[0] !== undefined) throw createExpiredError(expired[0]);
  return undefined;
}

/** Returns a state in the middle of a run, as it was before the steps that came next. */
async function readState(
  storage: BaseCheckpointSaver,
  config: RunnableConfig,
  { id, runId }: { readonly id: string; readonly runId: string | null | undefined },
): Promise<CheckpointTuple> {
  const { threadId, namespace } = toCheckpointKey(config);
  const tuple = await storage.getTuple({
    configurable: { thread_id: threadId, checkpoint_ns: namespace, checkpoint_id: id },
  });
  if (!tuple || readRunId(tuple.metadata) !== runId) throw createExpiredError(String(runId));
  return { ...tuple, pendingWrites: [] };
}

function mustHaveStored({ status, leavesCheckpoint = true }: Ancestor): boolean {
  return leavesCheckpoint && (status === 'completed' || status === 'awaiting-input');
}

/** Returns the newest checkpoint that a run has stored of its graph. */
async function findLast(
  storage: BaseCheckpointSaver,
  config: RunnableConfig,
  runId: string,
): Promise<CheckpointTuple | undefined> {
  const { threadId, namespace } = toCheckpointKey(config);
  const thread = { configurable: { thread_id: threadId, checkpoint_ns: namespace } };
  for await (const tuple of storage.list(thread, { filter: { run_id: runId }, limit: 1 })) return tuple;
  return undefined;
}

function createExpiredError(runId: string): AppError {
  return new AppError(
    'STATE_EXPIRED',
    `The state after run '${runId}' is no longer kept. Continue a newer run of the thread.`,
  );
}

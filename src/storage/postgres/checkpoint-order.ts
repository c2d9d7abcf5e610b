import type { RunnableConfig } from '@langchain/core/runnables';
import type { CheckpointPendingWrite } from '@langchain/langgraph-checkpoint';
import type { Statements } from './postgres.database.js';

/** The paths of a checkpoint's tasks, by task id. A task without one is not among them. */
export async function readPaths(
  statements: Statements,
  s: string,
  { configurable }: RunnableConfig,
): Promise<ReadonlyMap<string, string>> {
  const rows = await statements.query<{ task_id: string; path: string }>(
    `SELECT task_id, path FROM ${s}.checkpoint_task_paths
     WHERE thread_id = $1 AND checkpoint_ns = $2 AND checkpoint_id = $3`,
    [configurable?.['thread_id'], configurable?.['checkpoint_ns'], configurable?.['checkpoint_id']],
  );
  return new Map(rows.map(({ task_id, path }) => [task_id, path]));
}

/** By path, then by task; the writes of a task stay in their order. Not by the database's collation, which may be any. */
export function sortByPath(
  writes: readonly CheckpointPendingWrite[],
  paths: ReadonlyMap<string, string>,
): CheckpointPendingWrite[] {
  const toSortKey = ([taskId]: CheckpointPendingWrite) => [paths.get(taskId) ?? '', taskId] as const;
  return writes.toSorted((one, other) => {
    const [path, task] = toSortKey(one);
    const [otherPath, otherTask] = toSortKey(other);
    return compare(path, otherPath) || compare(task, otherTask);
  });
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

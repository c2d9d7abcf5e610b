import type { CheckpointMetadata } from '@langchain/langgraph-checkpoint';

/** The checkpoint whose task a subgraph's run belongs to: without it, nothing ever reads the subgraph's checkpoints again. */
export interface TaskOrigin {
  readonly namespace: string;
  readonly checkpointId: string;
}

/**
 * Returns the origin of the task that works in this namespace. LangGraph names namespaces by the path of the steps,
 * `node:taskId|inner:taskId`, and derives a task's id from the checkpoint that it starts from.
 *
 * Undefined for the root, and for a subgraph that remembers its state from run to run: it has no task in its name.
 */
export function parseOrigin(namespace: string, { parents }: CheckpointMetadata): TaskOrigin | undefined {
  const segments = namespace.split('|');
  const task = segments.findLastIndex((segment) => segment.includes(':'));
  if (task === -1) return undefined;
  const parent = segments.slice(0, task).join('|');
  const checkpointId = parents?.[parent];
  return checkpointId === undefined ? undefined : { namespace: parent, checkpointId };
}

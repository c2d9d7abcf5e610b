import type { RunnableConfig } from '@langchain/core/runnables';

/** The key of a graph's checkpoints, from its config. The namespace is that of the root unless it names a subgraph. */
export interface CheckpointKey {
  readonly threadId: string | undefined;
  readonly namespace: string;
}

export function toCheckpointKey({ configurable }: RunnableConfig): CheckpointKey {
  return {
    threadId: configurable?.['thread_id'] as string | undefined,
    namespace: (configurable?.['checkpoint_ns'] as string | undefined) ?? '',
  };
}

/** @throws Error that says which key the config lacks */
export function required(value: string | undefined, key: 'thread_id' | 'checkpoint_id'): string {
  if (value === undefined) throw new Error(`A checkpoint needs "${key}" in the config's "configurable".`);
  return value;
}

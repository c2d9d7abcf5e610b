import type { CheckpointMetadata } from '@langchain/langgraph-checkpoint';

/** The key in a checkpoint's metadata under which LangGraph's platform has the run that stored it, and LangGraph itself looks for it. */
const RUN_ID = 'run_id';

/** Returns the metadata with the run that stores the checkpoint. */
export function withRunId(metadata: CheckpointMetadata, runId: string): CheckpointMetadata {
  return { ...metadata, [RUN_ID]: runId } as CheckpointMetadata;
}

/** Returns the run that has stored a checkpoint. Undefined for a thread without one. */
export function readRunId(metadata: CheckpointMetadata | undefined): string | undefined {
  return (metadata as { readonly [RUN_ID]?: string } | undefined)?.[RUN_ID];
}

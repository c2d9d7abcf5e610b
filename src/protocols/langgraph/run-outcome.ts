import type { RecordedEvent } from '../../events/recorded-event.js';
import type { Run } from '../../runs/run.js';
import type { Transcript } from '../transcript/transcript.js';
import { getStateRunId } from './langgraph-checkpoints.js';
import type { RunValues } from './run-stream-chunks.js';
import { RunStreamMapper } from './run-stream.mapper.js';

/** The outcome of a run for a client that does not stream it: the last state that a stream would have. */
export class RunOutcome {
  private readonly mapper: RunStreamMapper;
  private values: RunValues = { messages: [] };
  private failure: { readonly error: string; readonly message: string } | undefined;

  /**
   * @param transcript the thread up to the run's question
   * @param hasMessages false for an agent whose state has no messages
   */
  constructor(run: Pick<Run, 'id' | 'threadId' | 'copyOf'>, transcript: Transcript, hasMessages: boolean) {
    this.mapper = new RunStreamMapper({
      runId: run.id,
      stateRunId: getStateRunId(run),
      threadId: run.threadId,
      transcript,
      modes: new Set(['values']),
      hasMessages,
    });
  }

  readonly take = (recorded: RecordedEvent): void => {
    for (const chunk of this.mapper.map(recorded)) {
      if (chunk.event === 'values') this.values = chunk.data;
      if (chunk.event === 'error') this.failure = chunk.data;
    }
  };

  get reply(): RunValues | { readonly __error__: { readonly error: string; readonly message: string } } {
    return this.failure ? { __error__: this.failure } : this.values;
  }
}

import type { AppendBatch, AppendResult } from '../../runs/event-log.js';
import type { CheckpointFence } from '../../agents/langgraph/checkpoint-fence.js';

/** Runs that are remembered: far more than a process works on at a time. */
const RUNS = 10_000;

/**
 * Ends of the logs that this process has written, as the database has acknowledged them.
 *
 * A database that was put back to an earlier state may still name this process as the owner of a run whose log has lost its last
 * events. The next append is refused, because it does not follow on; a checkpoint that comes before that would be ahead of the log
 * for ever, so it is only taken when the log goes as far as its owner knows.
 */
export class TailCache {
  private readonly tails = new Map<string, { readonly epoch: number; readonly seq: number }>();

  note(batches: readonly AppendBatch[], results: readonly AppendResult[]): void {
    for (const [index, { runId, epoch, afterSeq, events }] of batches.entries()) {
      if (results[index] !== 'appended') continue;
      // Anew at the end of the order, in which the oldest is forgotten first.
      this.tails.delete(runId);
      this.tails.set(runId, { epoch, seq: afterSeq + events.length });
    }
    for (const oldest of this.tails.keys()) {
      if (this.tails.size <= RUNS) return;
      this.tails.delete(oldest);
    }
  }

  /** The last event that this owner knows to be in the log; 0 when it knows of none. */
  get({ runId, epoch }: CheckpointFence): number {
    const known = this.tails.get(runId);
    return known?.epoch === epoch ? known.seq : 0;
  }
}

import { Logger } from '@nestjs/common';
import { compactRun, type CompactionDeps } from './compact-run.js';

/** Time for the readers of a run to read its end, in milliseconds: twice the time after which a reader looks that missed a wakeup. */
const READERS_MS = 10_000;

/**
 * Deletes from the storage what agents have replaced in runs that have ended. A little later, because a log that is compacted under a
 * reader ends its stream: whoever follows a run has read its end by then.
 */
export class ReplacedText {
  private readonly logger = new Logger(ReplacedText.name);
  private readonly due = new Map<string, NodeJS.Timeout>();

  constructor(
    private readonly deps: CompactionDeps,
    private readonly readersMs = READERS_MS,
  ) {}

  /** Deletes what was replaced in a run that has just ended, when its readers have had their time. */
  deleteSoon(runId: string): void {
    const timer = setTimeout(() => void this.delete(runId), this.readersMs).unref();
    this.due.set(runId, timer);
  }

  /** Deletes at once what would be deleted soon: this process ends, and its readers with it. */
  async deleteNow(): Promise<void> {
    await Promise.all([...this.due.keys()].map((runId) => this.delete(runId)));
  }

  /** If it fails, or the process dies before, the text goes when the log is compacted later. */
  private async delete(runId: string): Promise<void> {
    clearTimeout(this.due.get(runId));
    this.due.delete(runId);
    try {
      await compactRun(runId, this.deps);
    } catch (error) {
      this.logger.warn(
        { err: error, runId },
        'Text that the agent replaced could not be deleted yet. It is deleted when the log is compacted.',
      );
    }
  }
}

import { Injectable } from '@nestjs/common';
import type { Principal } from '../../principal.js';
import { EventLog } from '../../runs/event.log.js';
import { hasEnded, type Run } from '../../runs/run.js';
import { RunStore } from '../../runs/run.store.js';
import { ThreadService } from '../../runs/thread.service.js';
import { readWholeLog } from '../../runs/whole.log.js';
import { Transcript } from './transcript.js';

/** What protocols read of a thread whose clients show a whole conversation. */
@Injectable()
export class ThreadTranscripts {
  constructor(
    private readonly threads: ThreadService,
    private readonly runs: RunStore,
    private readonly log: EventLog,
  ) {}

  /**
   * All runs of the thread, the oldest first.
   *
   * @param known what a reading before has given: as long as they are there, they come back as they were, and only what came
   *   after them is read
   * @throws AppError NOT_FOUND
   */
  async runsOf(principal: Principal, threadId: string, known: readonly Run[] = []): Promise<Run[]> {
    await this.threads.get(principal, threadId);
    const newest = known.at(-1)?.id;
    const newer: Run[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.runs.listRuns(threadId, {
        limit: newest ? 10 : 100,
        ...(cursor && { cursor }),
      });
      for (const run of page.items) {
        if (run.id === newest) return [...known, ...newer.toReversed()];
        newer.push(run);
      }
      cursor = page.nextCursor;
    } while (cursor);
    return newer.toReversed();
  }

  /**
   * Questions and answers of these runs, as their logs have them now.
   *
   * @param questionId what the client calls the message that the run answers
   */
  async read(runs: readonly Run[], questionId: (run: Run) => string): Promise<Transcript> {
    const transcript = new Transcript();
    for (const run of runs) {
      transcript.ask(questionId(run), run.message);
      await this.answer(run, transcript);
    }
    return transcript;
  }

  /** Carries the transcript on with what the run's log has now. */
  async answer({ id }: Pick<Run, 'id'>, transcript: Transcript): Promise<void> {
    for (const recorded of await readWholeLog(this.log, id)) transcript.apply(recorded);
  }
}

/** What this thread's viewers watch: the run that goes on, or the last one. */
export function currentRun(runs: readonly Run[]): Run | undefined {
  return runs.find((run) => !hasEnded(run)) ?? runs.at(-1);
}

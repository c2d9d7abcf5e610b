import { Injectable } from '@nestjs/common';
import type { Principal } from '../../principal.js';
import { EventLog } from '../../runs/event.log.js';
import type { Run } from '../../runs/run.js';
import { RunStore } from '../../runs/run.store.js';
import { ThreadService } from '../../runs/thread.service.js';
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
   * @throws AppError NOT_FOUND
   */
  async runsOf(principal: Principal, threadId: string): Promise<Run[]> {
    await this.threads.get(principal, threadId);
    const runs: Run[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.runs.listRuns(threadId, { limit: 100, ...(cursor && { cursor }) });
      runs.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor);
    return runs.toReversed();
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
      await this.fold(run, transcript);
    }
    return transcript;
  }

  private async fold({ id, firstSeq, lastSeq }: Run, transcript: Transcript): Promise<void> {
    for (let seq = firstSeq - 1; seq < lastSeq;) {
      const page = await this.log.read(id, seq, 1_000);
      const last = page.at(-1);
      if (!last) return;
      for (const recorded of page) transcript.apply(recorded);
      seq = last.seq;
    }
  }
}

/** What this thread's viewers watch: the run that goes on, or the last one. */
export function currentRun(runs: readonly Run[]): Run | undefined {
  return runs.find(({ status }) => status === 'pending' || status === 'running') ?? runs.at(-1);
}

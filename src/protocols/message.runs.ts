import { Injectable } from '@nestjs/common';
import type { Approval } from '../events/approval.js';
import type { RecordedEvent } from '../events/recorded-event.js';
import { EventLog } from '../runs/event.log.js';
import type { Run } from '../runs/run.js';
import { RunStore } from '../runs/run.store.js';
import { readWholeLog } from '../runs/whole.log.js';
import { openIn } from './thread.approvals.js';

/** A run that stopped for approvals, and what it has said until then. */
export interface EarlierRun {
  readonly run: Run;
  readonly log: readonly RecordedEvent[];
}

/** The runs that write one message, each going on where the one before it stopped for approvals. */
@Injectable()
export class MessageRuns {
  constructor(
    private readonly runs: RunStore,
    private readonly log: EventLog,
  ) {}

  /** Those before this run, the oldest first. None for a run that continues none. */
  async before({ resumeOf }: Run): Promise<Run[]> {
    const run = resumeOf === undefined ? undefined : await this.runs.get(resumeOf);
    return run ? [...(await this.before(run)), run] : [];
  }

  /** The same, with what they have said. */
  async earlier(run: Run): Promise<EarlierRun[]> {
    const runs = await this.before(run);
    return Promise.all(runs.map(async (each) => ({ run: each, log: await readWholeLog(this.log, each.id) })));
  }

  /** What those before this run have said, one log behind the other. */
  async said(run: Run): Promise<RecordedEvent[]> {
    return (await this.earlier(run)).flatMap(({ log }) => log);
  }

  /** What was asked before this run, and decided, so that it goes on. Nothing for a run that continues none. */
  async asked({ resumeOf }: Run): Promise<readonly Approval[]> {
    const before = resumeOf === undefined ? undefined : await this.runs.get(resumeOf);
    return before?.approvals ?? [];
  }

  /** The run that writes the message now: this one, or the last of those that went on with answers. */
  async latest(run: Run): Promise<Run> {
    if (run.status !== 'awaiting-approval' || openIn(run).length > 0) return run;
    let cursor: string | undefined;
    do {
      const page = await this.runs.listRuns(run.threadId, { limit: 100, ...(cursor && { cursor }) });
      const next = page.items.find(({ resumeOf }) => resumeOf === run.id);
      if (next) return this.latest(next);
      cursor = page.nextCursor;
    } while (cursor);
    return run;
  }
}

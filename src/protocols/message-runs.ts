import { Injectable } from '@nestjs/common';
import type { RequestedInput } from '../events/requested-input.js';
import type { RecordedEvent } from '../events/recorded-event.js';
import { EventLog } from '../runs/event-log.js';
import type { Run } from '../runs/run.js';
import { RunStore } from '../runs/run.store.js';
import { readWholeLog } from '../runs/read-log.js';
import { listOpen } from './thread-inputs.js';

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

  /** Reads the logs of the earlier runs of this message, one after the other. */
  async readLogs(run: Run): Promise<RecordedEvent[]> {
    return (await this.earlier(run)).flatMap(({ log }) => log);
  }

  /** Reads the inputs that the run before this one asked for, with their answers. Nothing for a run that continues none. */
  async readApprovals({ resumeOf }: Run): Promise<readonly RequestedInput[]> {
    const before = resumeOf === undefined ? undefined : await this.runs.get(resumeOf);
    return before?.inputs ?? [];
  }

  /** The run that writes the message now: this one, or the last of those that went on with answers. */
  async latest(run: Run): Promise<Run> {
    if (run.status !== 'awaiting-input' || listOpen(run).length > 0) return run;
    let cursor: string | undefined;
    do {
      const page = await this.runs.listRuns(run.principal, run.threadId, {
        limit: 100,
        ...(cursor && { cursor }),
      });
      const next = page.items.find(({ resumeOf }) => resumeOf === run.id);
      if (next) return this.latest(next);
      cursor = page.nextCursor;
    } while (cursor);
    return run;
  }
}

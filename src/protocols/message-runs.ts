import { Injectable } from '@nestjs/common';
import type { RequestedInput } from '../events/requested-input.js';
import type { Principal } from '../principal.js';
import type { RecordedEvent } from '../events/recorded-event.js';
import { EventLog } from '../runs/event-log.js';
import type { Run } from '../runs/run.js';
import { findAsked, findParentId } from '../runs/run-place.js';
import { RunStore } from '../runs/run.store.js';
import { readWholeLog } from '../runs/read-log.js';
import { listOpen } from './thread-inputs.js';

/** A run that stopped for approvals, and what it has said until then. */
export interface EarlierRun {
  readonly run: Run;
  readonly log: readonly RecordedEvent[];
}

/** Number of runs searched for a message. A message before them counts as new. */
const NEWEST = 100;

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

  /** Reads the newest runs of the thread, the newest first. */
  async *readNewest(principal: Principal, threadId: string): AsyncGenerator<Run> {
    let left = NEWEST;
    let cursor: string | undefined;
    do {
      const page = await this.runs.listRuns(principal, threadId, { limit: left, ...(cursor && { cursor }) });
      yield* page.items;
      left -= page.items.length;
      cursor = page.nextCursor;
    } while (cursor && left > 0);
  }

  /** Finds the run that a request with this key has started. */
  async findStarted(principal: Principal, key: string): Promise<Run | undefined> {
    return (await this.runs.findByKey(principal, key))?.run;
  }

  /** Finds the id of the run after which this run's turn was asked; null if there is none. */
  async findTurnParentId(run: Run): Promise<string | null> {
    return findParentId(await findAsked(run, this.runs), this.runs);
  }

  /** The run that writes the message now: this one, or the last of those that went on with answers. */
  async latest(run: Run): Promise<Run> {
    if (run.status !== 'awaiting-input' || listOpen(run).length > 0) return run;
    const { continuedBy } = (await this.runs.get(run.id)) ?? run;
    const next = continuedBy === undefined ? undefined : await this.runs.get(continuedBy);
    return next ? this.latest(next) : run;
  }
}

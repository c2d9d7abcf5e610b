import { Injectable } from '@nestjs/common';
import { AppError } from '../errors.js';
import type { Principal } from '../principal.js';
import { SecurityLog } from '../security/security-log.service.js';
import { hasEnded, type ListedRun, type Run } from './run.js';
import { RunService } from './run.service.js';
import type { RunFilter } from './run-filter.js';
import { RunStore, type Page, type PageRequest, type UnendedRuns } from './run.store.js';
import { Wakeups } from './wakeups.js';

/** The runs that an operator may see and stop: those of one tenant, or all. A run outside of it does not exist. */
export interface Oversight {
  readonly by: Principal;
  readonly tenant?: string;
}

/** Finds and stops runs of others. What was said in them is not shown. */
@Injectable()
export class RunOversightService {
  constructor(
    private readonly runs: RunStore,
    private readonly service: RunService,
    private readonly wakeups: Wakeups,
    private readonly security: SecurityLog = new SecurityLog(),
  ) {}

  /** Lists runs of everybody in this oversight. */
  async find({ tenant }: Oversight, filter: RunFilter, page: PageRequest): Promise<Page<ListedRun>> {
    if (tenant !== undefined && (filter.tenant ?? tenant) !== tenant) return { items: [] };
    return this.runs.findRuns({ ...filter, ...(tenant !== undefined && { tenant }) }, page);
  }

  /** Counts the runs of everybody that have not ended. */
  countUnended(): Promise<UnendedRuns> {
    return this.runs.countUnended();
  }

  /**
   * Asks for the end of a run, as its owner may.
   *
   * @throws AppError NOT_FOUND
   */
  async cancel(oversight: Oversight, runId: string): Promise<Run> {
    const run = await this.get(oversight, runId);
    this.record('run-cancelled', oversight, run);
    return this.service.cancel(run.principal, runId);
  }

  /**
   * Takes a run from its owner, so that the next free instance goes on with it from its last step. That counts as no death. A pending run is
   * announced once more; one that has ended stays as it is.
   *
   * @throws AppError NOT_FOUND
   */
  async requeue(oversight: Oversight, runId: string): Promise<Run> {
    const run = await this.get(oversight, runId);
    if (hasEnded(run)) return run;
    this.record('run-requeued', oversight, run);
    await this.runs.release({ runId, epoch: run.epoch });
    this.wakeups.notify('pending');
    return (await this.runs.get(runId)) ?? run;
  }

  /** @throws AppError NOT_FOUND */
  async get({ tenant }: Oversight, runId: string): Promise<Run> {
    const run = await this.runs.get(runId);
    if (!run || (tenant !== undefined && run.principal.tenant !== tenant))
      throw new AppError('NOT_FOUND', `There is no run '${runId}'.`);
    return run;
  }

  private record(type: 'run-cancelled' | 'run-requeued', { by }: Oversight, run: Run): void {
    const { id: runId, threadId, principal } = run;
    const subject = `${principal.userId}@${principal.tenant}`;
    this.security.record({ type, principal: by, runId, threadId, subject });
  }
}

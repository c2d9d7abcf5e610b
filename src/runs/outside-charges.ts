import type { UsageReport } from '../events/run-event.js';
import { addUsage } from '../events/usage.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { Prices } from './prices.js';
import type { Run } from './run.js';
import { countCost } from './run-measures.js';
import type { RunStore } from './run.store.js';

export interface ChargeDeps {
  readonly runs: Pick<RunStore, 'chargeUsage'>;
  /** Absent: nothing has a price. */
  readonly prices?: Prices;
  /** Absent: nothing is measured. */
  readonly telemetry?: Pick<Telemetry, 'metrics'>;
}

const NO_PRICES = new Prices();

/** Charges model calls that are no part of a run to the owner of the thread, under the name of its agent. Each is charged as it ends. */
export class OutsideCharges {
  private readonly underWay = new Set<Promise<void>>();

  /** @param onFailed is told of a charge that the storage has not taken */
  constructor(
    private readonly deps: ChargeDeps,
    private readonly onFailed: (run: Run, error: unknown) => void,
  ) {}

  charge(run: Run, report: UsageReport): void {
    const usage = addUsage(undefined, (this.deps.prices ?? NO_PRICES).charge(report));
    if (usage.totalTokens === 0 && !usage.costMicros) return;
    const { tenant, userId } = run.principal;
    const { agent } = run;
    const { metrics } = this.deps.telemetry ?? {};
    const charging = this.deps.runs
      .chargeUsage({ owner: { tenant, userId }, agent, usage })
      .then(
        () => metrics && countCost({ agent, usage }, metrics),
        (error: unknown) => this.onFailed(run, error),
      )
      .finally(() => this.underWay.delete(charging));
    this.underWay.add(charging);
  }

  /** Resolves when no charge is under way. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.underWay);
  }
}

import { Injectable } from '@nestjs/common';
import type { Usage } from '../events/run-event.js';
import type { Principal } from '../principal.js';
import { Prices } from './prices.js';
import type { Oversight } from './run-oversight.service.js';
import { RunStore } from './run.store.js';
import type { Spending, SpendingQuery } from './spending.js';

/** Sums that are asked for: those of the caller, or within an oversight. */
export type AskedSpending = Omit<SpendingQuery, 'limit'>;

/** Rows of one answer. Ask for fewer groups, or for one tenant, rather than for more rows. */
const MOST_ROWS = 1_000;

/** Tells what runs have used and cost. */
@Injectable()
export class SpendingService {
  constructor(
    private readonly runs: RunStore,
    private readonly prices: Prices,
  ) {}

  /** The name of the currency that costs are in. */
  get currency(): string {
    return this.prices.currency;
  }

  /** Sums what the principal's own runs have used. */
  listOwn({ tenant, userId }: Principal, query: AskedSpending): Promise<readonly Spending[]> {
    return this.runs.listSpending({ ...query, tenant, userId, limit: MOST_ROWS });
  }

  /** Sums what everybody's runs have used in this oversight. */
  async list({ tenant }: Oversight, query: AskedSpending): Promise<readonly Spending[]> {
    if (tenant !== undefined && (query.tenant ?? tenant) !== tenant) return [];
    return this.runs.listSpending({ ...query, ...(tenant !== undefined && { tenant }), limit: MOST_ROWS });
  }

  /** Sums what the ended runs of a thread have used. Undefined if there are none. */
  sumThread(principal: Principal, threadId: string): Promise<Usage | undefined> {
    return this.runs.sumUsage(principal, threadId);
  }
}

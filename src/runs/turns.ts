import type { Owner } from '../principal.js';

/** Runs at work, by tenant and by principal: whose turn it is depends on them. */
export class RunningCounts {
  private readonly tenants = new Map<string, number>();
  private readonly users = new Map<string, Map<string, number>>();

  add({ tenant, userId }: Owner): void {
    this.tenants.set(tenant, this.countTenant(tenant) + 1);
    const users = this.users.get(tenant) ?? new Map<string, number>();
    this.users.set(tenant, users.set(userId, (users.get(userId) ?? 0) + 1));
  }

  listTenants(): string[] {
    return [...this.tenants.keys()];
  }

  countTenant(tenant: string): number {
    return this.tenants.get(tenant) ?? 0;
  }

  count({ tenant, userId }: Owner): number {
    return this.users.get(tenant)?.get(userId) ?? 0;
  }
}

/** A principal with runs that wait. */
export interface Turn extends Owner {
  /** Ordinal of the oldest of these runs. */
  readonly oldest: number;
}

/**
 * Puts those who have room for another run in the order of their turns: the tenant with the fewest runs at work first, among its
 * users the one with the fewest, and then whose run has waited for longest. Pure.
 */
export function inTurn<Waiting extends Turn>(
  waiting: readonly Waiting[],
  atWork: RunningCounts,
  maxRunsPerPrincipal: number = Infinity,
): Waiting[] {
  return waiting
    .filter((turn) => atWork.count(turn) < maxRunsPerPrincipal)
    .sort(
      (one, other) =>
        atWork.countTenant(one.tenant) - atWork.countTenant(other.tenant) ||
        atWork.count(one) - atWork.count(other) ||
        one.oldest - other.oldest,
    );
}

/** The runs of one principal. Functions, because they are only counted where there is a limit. */
export interface OwnRuns {
  /** Counts those at work. */
  countAtWork(): number;
  /** True if one waits for nothing but an owner. */
  hasWaiting(): boolean;
}

/** True if a new run of this principal may begin at once: there is room for it, and no earlier one waits for an owner. Pure. */
export function mayBegin(maxRunsPerPrincipal: number | undefined, runs: OwnRuns): boolean {
  if (maxRunsPerPrincipal === undefined) return true;
  return runs.countAtWork() < maxRunsPerPrincipal && !runs.hasWaiting();
}

import type { DatabaseSync } from 'node:sqlite';
import type { Owner } from '../../../principal.js';
import { countDeaths, isAbandoned } from '../../../runs/takeover.ts';
import { inTurn, mayBegin, RunningCounts, type Turn } from '../../../runs/turns.ts';

/** Users whose waiting runs are walked through one by one; with more of them, their runs are looked at by age. */
const FEW_USERS = 256;

interface WaitingRow {
  readonly tenant: string;
  readonly user_id: string;
  readonly ordinal: number;
}

interface RunningRow extends WaitingRow {
  readonly id: string;
  readonly leaseUntil: number;
  readonly deaths: number;
  readonly isHeld: number;
}

/** The run that is claimed next. */
export interface NextRun {
  readonly ordinal: number;
  /** As its record is to count them. */
  readonly deaths: number;
}

/** Finds the run that is to be claimed next, however many wait. Each function is a part of a step. */
export function waitingRunsOn(db: DatabaseSync) {
  const running = db.prepare(`
    SELECT ordinal, tenant, user_id, id, lease_until AS leaseUntil, deaths, owner_id IS NOT NULL AS isHeld
    FROM runs INDEXED BY runs_by_turn WHERE ended_at IS NULL AND status = 'running'`);
  const countRunning = db.prepare(`
    SELECT count(*) AS runs FROM runs INDEXED BY runs_by_turn
    WHERE ended_at IS NULL AND status = 'running' AND tenant = ? AND user_id = ?`);
  const firstTenant = db.prepare(`
    SELECT tenant, user_id, ordinal FROM runs INDEXED BY runs_by_turn
    WHERE ended_at IS NULL AND status = 'pending' ORDER BY tenant, user_id, ordinal LIMIT 1`);
  const nextUser = db.prepare(`
    SELECT tenant, user_id, ordinal FROM runs INDEXED BY runs_by_turn
    WHERE ended_at IS NULL AND status = 'pending' AND tenant = ? AND user_id > ? ORDER BY user_id, ordinal LIMIT 1`);
  const waitsIn = db.prepare(`
    SELECT 1 FROM runs INDEXED BY runs_by_turn WHERE ended_at IS NULL AND status = 'pending' AND tenant = ? LIMIT 1`);
  const nextTenant = db.prepare(`
    SELECT tenant, user_id, ordinal FROM runs INDEXED BY runs_by_turn
    WHERE ended_at IS NULL AND status = 'pending' AND tenant > ? ORDER BY tenant, user_id, ordinal LIMIT 1`);
  const allUsers = db.prepare(`
    SELECT tenant, user_id, min(ordinal) AS ordinal FROM runs INDEXED BY runs_by_turn
    WHERE ended_at IS NULL AND status = 'pending' GROUP BY tenant, user_id`);
  const byAge = db.prepare(`
    SELECT tenant, user_id, ordinal FROM runs INDEXED BY runs_unended_by_age
    WHERE ended_at IS NULL AND status = 'pending' ORDER BY ordinal`);
  const selectOldest = db.prepare(`
    SELECT ordinal, deaths FROM runs AS waiting INDEXED BY runs_by_turn
    WHERE ended_at IS NULL AND status = 'pending' AND tenant = ? AND user_id = ? AND NOT EXISTS (
      SELECT 1 FROM runs AS earlier INDEXED BY runs_unended
      WHERE earlier.thread_id = waiting.thread_id AND earlier.ended_at IS NULL AND earlier.ordinal < waiting.ordinal)
    ORDER BY ordinal LIMIT 1`);

  /** The oldest run of this user that waits for nothing but an owner. */
  const selectNext = ({ tenant, userId }: { readonly tenant: string; readonly userId: string }) =>
    selectOldest.get(tenant, userId) as NextRun | undefined;

  /** Those who wait, one by one; undefined when they are too many for that. */
  const walkUsers = (): Turn[] | undefined => {
    const users: Turn[] = [];
    let row = firstTenant.get() as WaitingRow | undefined;
    while (row) {
      if (users.length === FEW_USERS) return undefined;
      users.push(toTurn(row));
      row = (nextUser.get(row.tenant, row.user_id) ?? nextTenant.get(row.tenant)) as WaitingRow | undefined;
    }
    return users;
  };

  /** True when a run waits of a tenant with nothing at work. */
  const hasIdleTenant = (atWork: RunningCounts): boolean => {
    let row = firstTenant.get() as WaitingRow | undefined;
    while (row && atWork.countTenant(row.tenant) > 0)
      row = nextTenant.get(row.tenant) as WaitingRow | undefined;
    return row !== undefined;
  };

  const oldest = (isWanted: (turn: Turn) => boolean): Turn | undefined => {
    for (const row of byAge.iterate()) {
      const turn = toTurn(row as unknown as WaitingRow);
      if (isWanted(turn)) return turn;
    }
    return undefined;
  };

  /**
   * The oldest run that waits of a tenant with nothing at work; or, when each has, of a user with nothing at work, in the tenants that
   * have the least. Where many wait that is soon found.
   */
  const findByAge = (atWork: RunningCounts): Turn | undefined => {
    if (hasIdleTenant(atWork)) return oldest(({ tenant }) => atWork.countTenant(tenant) === 0);
    const waiting = atWork.listTenants().filter((tenant) => waitsIn.get(tenant));
    const fewest = Math.min(...waiting.map((tenant) => atWork.countTenant(tenant)));
    return oldest((turn) => atWork.countTenant(turn.tenant) === fewest && atWork.count(turn) === 0);
  };

  const nextWaiting = (
    atWork: RunningCounts,
    maxRunsPerPrincipal: number | undefined,
  ): NextRun | undefined => {
    const few = walkUsers();
    const byAgeFound = few ? undefined : findByAge(atWork);
    const found = byAgeFound && selectNext(byAgeFound);
    if (found) return found;
    const users = few ?? (allUsers.all() as unknown as WaitingRow[]).map(toTurn);
    for (const turn of inTurn(users, atWork, maxRunsPerPrincipal)) {
      const next = selectNext(turn);
      if (next) return next;
    }
    return undefined;
  };

  return {
    /** Returns the run to claim: the oldest whose owner has fallen silent, else the next of those that wait. */
    next(claim: {
      readonly now: number;
      readonly maxRunsPerPrincipal?: number;
      readonly inHand?: readonly string[];
      readonly exceptDeaths?: number;
    }): NextRun | undefined {
      const atWork = new RunningCounts();
      let abandoned: NextRun | undefined;
      for (const row of running.all() as unknown as RunningRow[]) {
        atWork.add({ tenant: row.tenant, userId: row.user_id });
        const run = { ...row, isHeld: row.isHeld === 1 };
        if (row.ordinal < (abandoned?.ordinal ?? Infinity) && isAbandoned(run, claim))
          abandoned = { ordinal: row.ordinal, deaths: countDeaths(run) };
      }
      return abandoned ?? nextWaiting(atWork, claim.maxRunsPerPrincipal);
    },

    mayBegin({
      maxRunsPerPrincipal,
      ...owner
    }: Owner & { readonly maxRunsPerPrincipal?: number | undefined }): boolean {
      return mayBegin(maxRunsPerPrincipal, {
        countAtWork: () => Number(countRunning.get(owner.tenant, owner.userId)?.['runs']),
        hasWaiting: () => selectNext(owner) !== undefined,
      });
    },
  };
}

function toTurn({ tenant, user_id: userId, ordinal }: WaitingRow): Turn {
  return { tenant, userId, oldest: ordinal };
}

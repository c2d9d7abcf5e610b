import type { Owner } from '../../principal.js';
import { belongsTo, type Run } from '../../runs/run.js';
import type { ClaimRun, RunOwner } from '../../runs/run.store.js';
import { countDeaths, isAbandoned } from '../../runs/takeover.js';
import { inTurn, mayBegin, RunningCounts, type Turn } from '../../runs/turns.js';
import { toLeasedRun, type MemoryRecords, type RunRecord } from './memory-records.js';

/** Gives the claim's owner the run whose turn it is. */
export function claimRun(records: MemoryRecords, claim: ClaimRun, now: number): Run | undefined {
  const record = findAbandoned(records, claim, now) ?? nextWaiting(records, claim.maxRunsPerPrincipal, now);
  if (!record) return undefined;
  const { run } = record;
  const deaths = countDeaths(toLeasedRun(record));
  record.run = {
    ...run,
    status: 'running',
    epoch: run.epoch + 1,
    startedAt: run.startedAt ?? now,
    ...(deaths > 0 && { deaths }),
  };
  record.hasOwner = true;
  record.leaseUntil = now + claim.leaseMs;
  return record.run;
}

/** Returns the oldest run whose owner has fallen silent. */
function findAbandoned(records: MemoryRecords, claim: ClaimRun, now: number): RunRecord | undefined {
  for (const record of records.unended)
    if (record.run.status === 'running' && isAbandoned(toLeasedRun(record), { ...claim, now })) return record;
  return undefined;
}

/** Returns the waiting run whose turn it is. */
function nextWaiting(
  records: MemoryRecords,
  maxRunsPerPrincipal: number | undefined,
  now: number,
): RunRecord | undefined {
  const atWork = new RunningCounts();
  const waiting = new Map<string, Turn & { readonly runs: RunRecord[] }>();
  for (const record of records.unended) {
    const { userId, tenant } = record.run.principal;
    if (record.run.status === 'running') {
      atWork.add({ userId, tenant });
      continue;
    }
    if (isDelayed(record, now)) continue;
    const key = JSON.stringify([tenant, userId]);
    const turn = waiting.get(key) ?? { userId, tenant, oldest: record.ordinal, runs: [] };
    turn.runs.push(record);
    waiting.set(key, turn);
  }
  for (const { runs } of inTurn([...waiting.values()], atWork, maxRunsPerPrincipal)) {
    const next = runs.find((record) => isFirst(records, record));
    if (next) return next;
  }
  return undefined;
}

/** True if a new run of the principal need not wait for a claim, as far as the principal's other runs say. */
export function mayBeginAtOnce(
  records: MemoryRecords,
  principal: Owner,
  { maxRunsPerPrincipal }: RunOwner,
  now: number,
): boolean {
  const count = (wanted: (record: RunRecord) => boolean) =>
    [...records.unended].filter((record) => belongsTo(record.run.principal, principal) && wanted(record))
      .length;
  return mayBegin(maxRunsPerPrincipal, {
    countAtWork: () => count(({ run }) => run.status === 'running'),
    hasWaiting: () =>
      count(
        (record) => record.run.status === 'pending' && !isDelayed(record, now) && isFirst(records, record),
      ) > 0,
  });
}

/** Counts the runs of an owner whose time has not come. */
export function countDelayed({ unended }: MemoryRecords, owner: Owner, now: number): number {
  let count = 0;
  for (const record of unended)
    if (isDelayed(record, now) && belongsTo(record.run.principal, owner)) count += 1;
  return count;
}

function isDelayed({ notBefore = -Infinity }: RunRecord, now: number): boolean {
  return notBefore > now;
}

function isFirst(records: MemoryRecords, record: RunRecord): boolean {
  return records.oldestUnended(record.run.threadKey) === record;
}

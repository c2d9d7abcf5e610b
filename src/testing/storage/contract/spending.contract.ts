import type { Usage } from '../../../events/run-event.js';
import type { Run } from '../../../runs/run.js';
import type { Spending, SpendingQuery } from '../../../runs/spending.js';
import type { Storage } from '../../../storage/storage.js';
import type { ContractSuite } from '../storage-harness.js';
import { begunRun, claimedRun, LEASE_MS, toEnding } from '../storage-samples.js';

const USAGE: Usage = { inputTokens: 10, outputTokens: 5, totalTokens: 15 };
const PAID: Usage = { ...USAGE, cachedInputTokens: 4, costMicros: 1_000 };
const UNPRICED: Usage = { ...USAGE, unpricedTokens: 15 };

/** Sums are never deleted, so each test has a tenant of its own. */
let tenants = 0;

export function spendingContract({ describe, test, expect }: ContractSuite): void {
  describe('what runs have used', () => {
    test('sums ended runs by month, tenant, user and agent, the dearest first', async ({ storage }) => {
      const tenant = nextTenant();
      const month = new Date((await endedRun(storage, tenant, PAID))?.endedAt ?? 0).toISOString().slice(0, 7);
      await endedRun(storage, tenant, PAID, { agent: 'writer' });
      await endedRun(storage, tenant, PAID, { agent: 'writer' });
      await endedRun(storage, tenant, UNPRICED, { userId: 'bob' });
      await endedRun(storage, nextTenant(), PAID);
      await begunRun(storage, nextId(), { principal: { tenant, userId: 'ann', roles: [] } });

      const list = (query: Partial<SpendingQuery>) => listSpending(storage, { tenant, ...query });
      const paid = (runs: number): Pick<Spending, 'runs' | 'usage'> => ({
        runs,
        usage: {
          inputTokens: 10 * runs,
          outputTokens: 5 * runs,
          totalTokens: 15 * runs,
          cachedInputTokens: 4 * runs,
          costMicros: 1_000 * runs,
        },
      });
      const all = {
        runs: 4,
        usage: { ...paid(3).usage, inputTokens: 40, outputTokens: 20, totalTokens: 60, unpricedTokens: 15 },
      };
      expect(await list({})).toEqual([all]);
      expect(await list({ by: ['month'] })).toEqual([{ month, ...all }]);
      expect(await list({ by: ['tenant'] })).toEqual([{ tenant, ...all }]);
      const ann = { tenant, userId: 'ann', ...paid(3) };
      const bob = { tenant, userId: 'bob', runs: 1, usage: UNPRICED };
      expect(await list({ by: ['user'] })).toEqual([ann, bob]);
      expect(await list({ by: ['user'], limit: 1 })).toEqual([ann]);
      expect(await list({ by: ['agent', 'user'], userId: 'ann' })).toEqual([
        { tenant, userId: 'ann', agent: 'writer', ...paid(2) },
        { tenant, userId: 'ann', agent: 'assistant', ...paid(1) },
      ]);
      expect(await list({ agent: 'writer' })).toEqual([paid(2)]);
      expect(await list({ from: month, to: month })).toEqual([all]);
      expect(await list({ from: '9999-12' })).toEqual([]);
      expect(await list({ to: '1999-12' })).toEqual([]);
      expect(await list({ userId: "ann' OR 1=1" })).toEqual([]);
      expect(await list({ userId: '\u0000' })).toEqual([]);
    });

    test('charges a run once, when its last owner has stored its end', async ({ storage, advance }) => {
      const tenant = nextTenant();
      const principal = { tenant, userId: 'ann', roles: [] };
      const old = await begunRun(storage, nextId(), { principal });
      await advance(LEASE_MS);
      const run = await claimedRun(storage, 'other');
      expect(await append(storage, old, PAID)).toEqual(['fenced']);
      expect(await listSpending(storage, { tenant })).toEqual([]);
      const ends = [append(storage, run, PAID), append(storage, run, PAID)];
      expect(await Promise.all(ends)).toEqual([['appended'], ['fenced']]);
      expect(await listSpending(storage, { tenant })).toEqual([{ runs: 1, usage: PAID }]);
    });

    test('charges runs that end in the same commit each for itself', async ({ storage }) => {
      const tenant = nextTenant();
      const runs = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          begunRun(storage, nextId(), { principal: { tenant, userId: `u${index % 3}`, roles: [] } }),
        ),
      );
      await storage.log.append(runs.map((run) => toPaidEnding(run, PAID)));
      expect(await listSpending(storage, { tenant })).toMatchObject([
        { runs: 20, usage: { costMicros: 20_000 } },
      ]);
      expect((await listSpending(storage, { tenant, by: ['user'] })).map((each) => each.runs)).toEqual([
        7, 7, 6,
      ]);
    });

    test('charges usage outside of runs to its owner and agent, and counts no run', async ({ storage }) => {
      const tenant = nextTenant();
      const owner = { tenant, userId: 'ann' };
      const agent = 'assistant';
      await storage.runs.chargeUsage({ owner, agent, usage: PAID });
      expect(await listSpending(storage, { tenant, by: ['user', 'agent'] })).toEqual([
        { tenant, userId: 'ann', agent, runs: 0, usage: PAID },
      ]);
      const month = new Date((await endedRun(storage, tenant, USAGE, { threadId: 't1' }))?.endedAt ?? 0)
        .toISOString()
        .slice(0, 7);
      await Promise.all(
        Array.from({ length: 20 }, () => storage.runs.chargeUsage({ owner, agent, usage: UNPRICED })),
      );
      await storage.runs.chargeUsage({ owner: { tenant, userId: 'bob' }, agent, usage: PAID });
      await storage.runs.chargeUsage({ owner, agent: 'writer', usage: PAID });
      expect(await listSpending(storage, { tenant, userId: 'ann', agent, by: ['month'] })).toEqual([
        {
          month,
          runs: 1,
          usage: {
            inputTokens: 220,
            outputTokens: 110,
            totalTokens: 330,
            cachedInputTokens: 4,
            costMicros: 1_000,
            unpricedTokens: 300,
          },
        },
      ]);
      expect(await listSpending(storage, { tenant })).toMatchObject([
        { runs: 1, usage: { costMicros: 3_000 } },
      ]);
      expect(await storage.runs.sumUsage(owner, 't1')).toEqual(USAGE);
    });

    test('keeps the sums when a thread is deleted, and sums the runs of a thread while it is there', async ({
      storage,
    }) => {
      const tenant = nextTenant();
      const owner = { tenant, userId: 'ann' };
      expect(await storage.runs.sumUsage(owner, 't1')).toBeUndefined();
      await endedRun(storage, tenant, PAID, { threadId: 't1' });
      await endedRun(storage, tenant, UNPRICED, { threadId: 't1' });
      await endedRun(storage, tenant, PAID, { threadId: 't2' });
      const both = { ...PAID, inputTokens: 20, outputTokens: 10, totalTokens: 30, unpricedTokens: 15 };
      expect(await storage.runs.sumUsage(owner, 't1')).toEqual(both);
      expect(await storage.runs.sumUsage({ ...owner, userId: 'bob' }, 't1')).toBeUndefined();
      await storage.runs.deleteThread(owner, 't1');
      expect(await storage.runs.sumUsage(owner, 't1')).toBeUndefined();
      expect(await listSpending(storage, { tenant })).toMatchObject([
        { runs: 3, usage: { costMicros: 2_000 } },
      ]);
    });
  });
}

function nextTenant(): string {
  tenants += 1;
  return `tenant-${Date.now()}-${tenants}`;
}

function nextId(): string {
  tenants += 1;
  return `run-${tenants}`;
}

function listSpending(storage: Storage, query: Partial<SpendingQuery>): Promise<readonly Spending[]> {
  return storage.runs.listSpending({ by: [], limit: 100, ...query });
}

async function endedRun(
  storage: Storage,
  tenant: string,
  usage: Usage,
  {
    userId = 'ann',
    ...run
  }: { readonly userId?: string; readonly agent?: string; readonly threadId?: string } = {},
): Promise<Run | undefined> {
  const begun = await begunRun(storage, nextId(), { ...run, principal: { tenant, userId, roles: [] } });
  await append(storage, begun, usage);
  return storage.runs.get(begun.id);
}

function append(storage: Storage, run: Run, usage: Usage) {
  return storage.log.append([toPaidEnding(run, usage)]);
}

function toPaidEnding(run: Run, usage: Usage) {
  const batch = toEnding(run, 0);
  return { ...batch, ending: { outcome: 'completed' as const, usage } };
}

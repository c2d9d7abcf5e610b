import type { Principal } from '../../../principal.js';
import type { Run } from '../../../runs/run.js';
import type { Storage } from '../../../storage/storage.js';
import { randomFrom } from '../../random.js';
import type { ContractSuite } from '../storage-harness.js';
import { BOB, LEASE_MS, OWNER, approval, awaitingRun, begunRun, endRun, newRun } from '../storage-samples.js';

/** Everybody of the test that is under way: what they leave is removed after it, because the emptying of a storage does not know them. */
const people = new Map<string, Principal>();

function person(userId: string, tenant = 'acme'): Principal {
  const principal = { userId, tenant, roles: [] };
  people.set(`${tenant}/${userId}`, principal);
  return principal;
}

async function removePeople({ runs }: Storage): Promise<void> {
  const owners = [...people.values()];
  people.clear();
  for (const owner of owners) {
    const { items } = await runs.listThreads(owner, { limit: 1_000 });
    await Promise.all(items.map(({ id }) => runs.deleteThread(owner, id)));
  }
}

const atMost = (maxRunsPerPrincipal: number) => ({ ...OWNER, maxRunsPerPrincipal });

/** Claims until there is nothing to claim. */
async function claimAll(storage: Storage, maxRunsPerPrincipal?: number): Promise<Run[]> {
  const claimed: Run[] = [];
  const owner = maxRunsPerPrincipal === undefined ? OWNER : atMost(maxRunsPerPrincipal);
  for (let run = await storage.runs.claim(owner); run; run = await storage.runs.claim(owner))
    claimed.push(run);
  return claimed;
}

const listIds = (runs: readonly Run[]) => runs.map(({ id }) => id);

export function turnContract({ describe, test: baseTest, expect }: ContractSuite): void {
  const promise: ContractSuite['test'] = (title, body) =>
    baseTest(title, async (harness) => {
      try {
        await body(harness);
      } finally {
        await removePeople(harness.storage);
      }
    });

  describe('turns in a claim', () => {
    promise('go to the tenant with the fewest running runs', async ({ storage }) => {
      for (const id of ['busy-0', 'busy-1', 'busy-2', 'busy-3'])
        await storage.runs.create(newRun(id, { principal: person('u', 'busy') }));
      await storage.runs.create(newRun('small-0', { principal: person('u', 'small') }));
      await storage.runs.create(newRun('other-0', { principal: person('u', 'other') }));
      const order = ['busy-0', 'small-0', 'other-0', 'busy-1', 'busy-2', 'busy-3'];
      expect(listIds(await claimAll(storage))).toEqual(order);
    });

    promise('go to the user of a tenant with the fewest running runs', async ({ storage }) => {
      for (const id of ['a0', 'a1', 'a2', 'a3', 'a4'])
        await storage.runs.create(newRun(id, { principal: person('ann') }));
      for (const id of ['b0', 'b1']) await storage.runs.create(newRun(id, { principal: person('ben') }));
      await storage.runs.create(newRun('c0', { principal: person('ann', 'globex') }));
      const order = ['a0', 'c0', 'b0', 'a1', 'b1', 'a2', 'a3', 'a4'];
      expect(listIds(await claimAll(storage))).toEqual(order);
    });

    promise('come again when a running run has ended', async ({ storage }) => {
      for (const id of ['a0', 'a1', 'a2'])
        await storage.runs.create(newRun(id, { principal: person('ann') }));
      const [first] = [await storage.runs.claim(OWNER)];
      await storage.runs.create(newRun('b0', { principal: person('ben') }));
      await storage.runs.create(newRun('b1', { principal: person('ben') }));
      if (first) await endRun(storage, first);
      expect(listIds(await claimAll(storage))).toEqual(['a1', 'b0', 'a2', 'b1']);
    });

    promise('keep the runs of a thread in their order', async ({ storage }) => {
      const queued = { threadId: 't1', whenBusy: 'queue' } as const;
      for (const id of ['r1', 'r2']) await storage.runs.create(newRun(id, queued));
      await storage.runs.create(newRun('r3', { principal: BOB }));
      await storage.runs.create(newRun('r4'));
      expect(listIds(await claimAll(storage))).toEqual(['r1', 'r3', 'r4']);
    });

    promise('are kept when many users wait', async ({ storage }) => {
      for (let index = 0; index < 3; index += 1)
        await storage.runs.create(newRun(`heavy-${index}`, { principal: person('heavy', 'big') }));
      const busy = await storage.runs.claim(OWNER);
      for (let index = 0; index < 140; index += 1) {
        const tenant = index % 2 === 0 ? 'big' : 'small';
        await storage.runs.create(newRun(`r${index}`, { principal: person(`user-${index}`, tenant) }));
      }
      const claimed = listIds(await claimAll(storage, 2));
      expect([busy?.id, ...claimed.slice(0, 5)]).toEqual(['heavy-0', 'r1', 'r0', 'r3', 'r2', 'r5']);
      expect(claimed.slice(-2)).toEqual(['r138', 'heavy-1']);
      expect(claimed).toHaveLength(141);
    });
  });

  describe('a limit of runs per principal', () => {
    promise('stops claims of more runs of a principal', async ({ storage }) => {
      for (const id of ['a0', 'a1', 'a2', 'a3']) await storage.runs.create(newRun(id));
      await storage.runs.create(newRun('b0', { principal: BOB }));
      const claimed = await claimAll(storage, 2);
      expect(listIds(claimed)).toEqual(['a0', 'b0', 'a1']);
      for (const run of claimed) await endRun(storage, run);
      expect(listIds(await claimAll(storage, 2))).toEqual(['a2', 'a3']);
    });

    promise('stores further runs of a principal as pending', async ({ storage }) => {
      const statuses: string[] = [];
      for (const id of ['a0', 'a1', 'a2']) {
        const { status } = await begunRun(storage, id, { owner: atMost(2), thread: 'new' });
        statuses.push(status);
      }
      const bobs = await begunRun(storage, 'b0', { owner: atMost(2), principal: BOB });
      expect([...statuses, bobs.status]).toEqual(['running', 'running', 'pending', 'running']);
      const waiting = await storage.runs.get('a2');
      expect(waiting).toMatchObject({ status: 'pending', epoch: 0 });
      expect('startedAt' in (waiting as object)).toBe(false);
    });

    promise('lets no run begin before an earlier one of its principal that waits', async ({ storage }) => {
      const first = await begunRun(storage, 'a0', { owner: atMost(1) });
      await begunRun(storage, 'a1', { owner: atMost(1) });
      await endRun(storage, first);
      expect(await begunRun(storage, 'a2', { owner: atMost(1) })).toMatchObject({ status: 'pending' });
      expect(await begunRun(storage, 'b0', { owner: atMost(1), principal: BOB })).toMatchObject({
        status: 'running',
      });
      expect(listIds(await claimAll(storage, 1))).toEqual(['a1']);
    });

    promise('does not count a run that waits behind another of its thread', async ({ storage }) => {
      await begunRun(storage, 'a0', { owner: atMost(2), threadId: 't1' });
      await begunRun(storage, 'a1', { owner: atMost(2), threadId: 't1', whenBusy: 'queue' });
      expect(await begunRun(storage, 'a2', { owner: atMost(2) })).toMatchObject({ status: 'running' });
    });

    promise('holds for concurrent starts and claims', async ({ storage }) => {
      const ids = Array.from({ length: 30 }, (_, index) => `r${index}`);
      const begun = await Promise.all(
        ids.map((id) => begunRun(storage, id, { owner: atMost(4), thread: 'new' })),
      );
      expect(begun.filter(({ status }) => status === 'running')).toHaveLength(4);
      await Promise.all(
        begun.filter(({ status }) => status === 'running').map((run) => endRun(storage, run)),
      );
      const claimed = await Promise.all(ids.map(() => storage.runs.claim(atMost(4))));
      const rest = await claimAll(storage, 4);
      expect([...claimed, ...rest].filter((run) => run !== undefined)).toHaveLength(4);
    });

    promise('does not stop a takeover', async ({ storage, advance }) => {
      for (const id of ['a0', 'a1']) await begunRun(storage, id, { owner: atMost(2) });
      await advance(LEASE_MS);
      expect(listIds(await claimAll(storage, 1)).sort()).toEqual(['a0', 'a1']);
    });

    promise('does not count runs that wait for input', async ({ storage }) => {
      await awaitingRun(storage, 'a0', [approval('a')]);
      expect(await begunRun(storage, 'a1', { owner: atMost(1) })).toMatchObject({ status: 'running' });
    });

    promise('leaves slots for other principals, however many runs one starts', async ({ storage }) => {
      const places = 50;
      let free = places;
      for (let index = 0; index < 60; index += 1) {
        const { status } = await begunRun(storage, `slow-${index}`, { owner: atMost(25), thread: 'new' });
        if (status === 'running') free -= 1;
      }
      expect(free).toBe(25);
      expect(await begunRun(storage, 'other', { owner: atMost(25), principal: BOB })).toMatchObject({
        status: 'running',
      });
    });

    for (const seed of [1, 2, 3]) {
      promise(`claims runs fairly for random arrivals with seed ${seed}`, async ({ storage }) => {
        const { pickAny, below } = randomly(seed);
        const arriving = ['a/x', 'a/y', 'b/x', 'c/x', 'c/z'].map((name) => {
          const [tenant = '', userId = ''] = name.split('/');
          return person(userId, tenant);
        });
        const toName = ({ principal }: Pick<Run, 'principal'>) => `${principal.tenant}/${principal.userId}`;
        const waiting: { id: string; principal: Principal; since: number }[] = [];
        const working: Run[] = [];
        const [limit, places] = [2, 4];
        let longest = 0;
        for (let step = 0, made = 0; made < 60 || waiting.length + working.length > 0; step += 1) {
          if (made < 60 && below(3) > 0) {
            // One of them asks for much more than all others.
            const principal = below(3) > 0 ? person('x', 'a') : pickAny(arriving);
            const id = `r${(made += 1)}`;
            await storage.runs.create(newRun(id, { principal, thread: 'new' }));
            waiting.push({ id, principal, since: step });
          }
          if (working.length > 0 && below(2) > 0) {
            const [ended] = working.splice(below(working.length), 1);
            if (ended) await endRun(storage, ended);
          }
          if (working.length >= places) continue;
          const run = await storage.runs.claim(atMost(limit));
          const atWork = (of: Pick<Run, 'principal'>) =>
            working.filter((each) => toName(each) === toName(of)).length;
          const ofTenant = (of: Pick<Run, 'principal'>) =>
            working.filter((each) => each.principal.tenant === of.principal.tenant).length;
          const mayGo = waiting.filter((each) => atWork(each) < limit);
          const [best] = mayGo.toSorted(
            (one, other) =>
              ofTenant(one) - ofTenant(other) ||
              atWork(one) - atWork(other) ||
              waiting.indexOf(one) - waiting.indexOf(other),
          );
          expect(run?.id).toBe(best?.id);
          if (!run || !best) continue;
          waiting.splice(waiting.indexOf(best), 1);
          working.push(run);
          longest = Math.max(longest, step - best.since);
        }
        expect(longest < 200).toBe(true);
      });
    }
  });
}

function randomly(seed: number) {
  const next = randomFrom(seed);
  const below = (limit: number) => Math.floor(next() * limit);
  return { below, pickAny: <Item>(items: readonly Item[]) => items[below(items.length)] as Item };
}

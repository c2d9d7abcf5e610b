import type { MessagesChange } from '../../../runs/run-messages.js';
import type { Storage } from '../../../storage/storage.js';
import type { ContractSuite } from '../storage-harness.js';
import {
  ALICE,
  claimedRun,
  endRun,
  LEASE_MS,
  newRun,
  ownedRun,
  toBatch,
  toEnding,
  toOwnership,
} from '../storage-samples.js';

const TEXT = 'In \u0000 "French" 😀\ud800';

export function messageContract({ describe, test, expect }: ContractSuite): void {
  describe('messages to a run that is under way', () => {
    test('are kept in their order, once for each id, and reported to the owner until it takes them', async ({
      storage,
    }) => {
      const { runs } = storage;
      const run = await ownedRun(storage, 'r1');
      expect('messages' in run).toBe(false);
      const [one, two] = [message('m1', TEXT), message('m2', 'And short.')];
      expect(await add(storage, 'm1', TEXT)).toEqual({ outcome: 'changed', messages: [one] });
      expect(await add(storage, 'm2', 'And short.')).toEqual({ outcome: 'changed', messages: [one, two] });
      expect(await add(storage, 'm1', 'Another text.')).toEqual({
        outcome: 'existing',
        messages: [one, two],
      });
      expect((await runs.get('r1'))?.messages).toEqual([one, two]);
      expect((await runs.listRuns(ALICE, run.threadId, { limit: 1 })).items[0]?.messages).toEqual([one, two]);
      const [listed] = (await runs.findRuns({}, { limit: 1 })).items;
      expect(listed && 'messages' in listed).toBe(false);

      const renewal = { runs: [toOwnership(run)], leaseMs: LEASE_MS };
      expect(await runs.renew(renewal)).toMatchObject([{ outcome: 'renewed', messageWaits: true }]);
      const taken = [one, two].map((each) => ({ ...each, taken: true }));
      expect(await change(storage, { kind: 'take', ...toOwnership(run) })).toEqual({
        outcome: 'changed',
        messages: taken,
      });
      expect((await runs.renew(renewal)).map((renewed) => 'messageWaits' in renewed)).toEqual([false]);
      expect((await runs.get('r1'))?.messages).toEqual(taken);
    });

    test('are withdrawn until they are taken, and taken by the current owner only', async ({
      storage,
      advance,
    }) => {
      const old = await ownedRun(storage, 'r1');
      await add(storage, 'm1');
      await add(storage, 'm2');
      const withdraw = (messageId: string) => change(storage, { kind: 'withdraw', runId: 'r1', messageId });
      expect(await withdraw('m1')).toMatchObject({ outcome: 'changed', messages: [{ id: 'm2' }] });
      expect(await withdraw('m1')).toMatchObject({ outcome: 'unknown' });
      await advance(LEASE_MS + 1);
      const run = await claimedRun(storage);
      expect(run.messages).toMatchObject([{ id: 'm2' }]);
      expect(await change(storage, { kind: 'take', ...toOwnership(old) })).toMatchObject({
        outcome: 'fenced',
      });
      expect(await change(storage, { kind: 'take', ...toOwnership(run) })).toMatchObject({
        outcome: 'changed',
      });
      expect(await withdraw('m2')).toMatchObject({ outcome: 'taken' });
    });

    test('are refused beyond their limit, by a run that has ended or is to end, and by one that is not there', async ({
      storage,
    }) => {
      const run = await ownedRun(storage, 'r1');
      await add(storage, 'm1');
      expect(await add(storage, 'm2', 'x', 1)).toMatchObject({ outcome: 'full', messages: [{ id: 'm1' }] });
      await change(storage, { kind: 'withdraw', runId: 'r1', messageId: 'm1' });
      await storage.runs.requestCancel('r1');
      expect(await add(storage, 'm2')).toEqual({ outcome: 'closed', messages: [] });
      await endRun(storage, run);
      expect(await add(storage, 'm2')).toEqual({ outcome: 'closed', messages: [] });
      const unknown = { kind: 'withdraw', messageId: 'm1' } as const;
      expect(await change(storage, { ...unknown, runId: 'r2' })).toEqual({ outcome: 'no-run' });
      expect(await change(storage, { ...unknown, runId: '\u0000' })).toEqual({ outcome: 'no-run' });
    });

    test('wait with a pending run', async ({ storage }) => {
      await storage.runs.create(newRun('r1'));
      expect(await add(storage, 'm1')).toMatchObject({ outcome: 'changed' });
      expect((await claimedRun(storage)).messages).toMatchObject([{ id: 'm1' }]);
    });

    test('keep the run from being completed until they are taken, and from nothing else', async ({
      storage,
    }) => {
      const { log, runs } = storage;
      const run = await ownedRun(storage, 'r1');
      expect(await log.append([toBatch(run, 0, 2)])).toEqual(['appended']);
      await add(storage, 'm1');
      const refused = await log.append([toEnding(run, 2)]);
      expect(refused).toEqual(['message-waits']);
      expect(await runs.get('r1')).toMatchObject({ status: 'running', lastSeq: 2 });
      // The log goes on where it stood, and so does the owner.
      expect(await log.append([toBatch(run, 2)])).toEqual(['appended']);
      await change(storage, { kind: 'take', ...toOwnership(run) });
      expect(await log.append([toEnding(run, 3)])).toEqual(['appended']);
      expect((await log.read('r1', 0, 10)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);

      const failed = await ownedRun(storage, 'r2');
      await change(storage, { kind: 'add', runId: 'r2', message: message('m1'), maxMessages: 9 });
      expect(await log.append([toEnding(failed, 0, 'failed')])).toEqual(['appended']);
      expect(await runs.get('r2')).toMatchObject({ status: 'failed', messages: [{ id: 'm1' }] });
    });

    test('are left by their owner when the run ends without them, and may be withdrawn then', async ({
      storage,
    }) => {
      const run = await ownedRun(storage, 'r1');
      await add(storage, 'm1', TEXT);
      await add(storage, 'm2');
      await change(storage, { kind: 'take', ...toOwnership(run) });
      const leave = { kind: 'leave', ...toOwnership(run), messageIds: ['m1'] } as const;
      expect(await change(storage, { ...leave, epoch: run.epoch + 1 })).toMatchObject({ outcome: 'fenced' });
      const messages = [
        { ...message('m1', TEXT), left: true },
        { ...message('m2'), taken: true },
      ];
      expect(await change(storage, leave)).toEqual({ outcome: 'changed', messages });
      // They keep nothing from ending, and are not taken any more.
      expect(await change(storage, { kind: 'take', ...toOwnership(run) })).toEqual({
        outcome: 'changed',
        messages,
      });
      expect(await storage.log.append([toEnding(run, 0)])).toEqual(['appended']);
      expect((await storage.runs.get('r1'))?.messages).toEqual(messages);
      expect(await change(storage, leave)).toMatchObject({ outcome: 'fenced' });
      const withdraw = { kind: 'withdraw', runId: 'r1', messageId: 'm1' } as const;
      expect(await change(storage, withdraw)).toMatchObject({ outcome: 'changed', messages: [{ id: 'm2' }] });
    });

    test('refuse together with the end only what stands right before it', async ({ storage }) => {
      const run = await ownedRun(storage, 'r1');
      await add(storage, 'm1');
      const [before, end] = await storage.log.append([toBatch(run, 0), toEnding(run, 1)]);
      expect(end).toBe('message-waits');
      const { lastSeq = -1 } = (await storage.runs.get('r1')) ?? {};
      expect([before, lastSeq]).toEqual(before === 'appended' ? ['appended', 1] : ['message-waits', 0]);
    });

    test('come before the end of their run, or are refused, when both come at once', async ({ storage }) => {
      for (let round = 1; round <= 20; round += 1) {
        const id = `r${round}`;
        const run = await ownedRun(storage, id);
        const given = { kind: 'add', runId: id, message: message('m1'), maxMessages: 9 } as const;
        const both = [() => storage.log.append([toEnding(run, 0)]), () => change(storage, given)] as const;
        const [ending, adding] = round % 2 === 0 ? [both[0](), both[1]()] : inReverse(both);
        const [[ended], added] = await Promise.all([ending, adding]);
        expect([ended, added.outcome]).toEqual(
          ended === 'appended' ? ['appended', 'closed'] : ['message-waits', 'changed'],
        );
        if (ended === 'appended') continue;
        await change(storage, { kind: 'take', ...toOwnership(run) });
        await endRun(storage, run);
      }
    });
  });
}

function message(id: string, text = 'More.') {
  return { id, text, at: 1_800_000_000_000 };
}

function change(storage: Storage, given: MessagesChange) {
  return storage.runs.changeMessages(given);
}

function add(storage: Storage, id: string, text?: string, maxMessages = 9) {
  return change(storage, { kind: 'add', runId: 'r1', message: message(id, text), maxMessages });
}

/** Calls both, the second first. */
function inReverse<One, Other>([one, other]: readonly [() => One, () => Other]): [One, Other] {
  const second = other();
  return [one(), second];
}

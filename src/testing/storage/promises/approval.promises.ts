import type { GivenAnswer } from '../../../events/approval.js';
import type { Run } from '../../../runs/run.js';
import type { NewAnswers } from '../../../runs/run.store.js';
import type { PromiseSuite } from '../storage.harness.js';
import { approval, awaitingRun, claimRun, endRun, newRun } from '../storage.samples.js';

export function approvalPromises({ describe, promise, expect }: PromiseSuite): void {
  describe('approval', () => {
    promise('keeps what a run has stopped for, and holds its thread no longer', async ({ storage }) => {
      const run = await awaitingRun(storage, 'r1', [approval('a'), approval('b', 5)]);
      expect(await storage.runs.get('r1')).toMatchObject({
        status: 'awaiting-approval',
        approvals: [approval('a'), approval('b', 5)],
      });
      expect((await storage.runs.getThread(run.threadId))?.activeRunId).toBeUndefined();
    });

    promise('continues a run with the last missing answer, and only then', async ({ storage }) => {
      const run = await awaitingRun(storage, 'r1', [approval('a'), approval('b')]);
      const first = await storage.runs.answer(answersTo(run, { a: APPROVED }));
      expect(first).toMatchObject({ outcome: 'answered', run: { id: 'r1' } });
      expect('continuedBy' in first).toBe(false);
      expect(await claimRun(storage)).toBeUndefined();

      const last = await storage.runs.answer(answersTo(run, { b: EDITED }));
      expect(last).toMatchObject({
        outcome: 'answered',
        run: {
          approvals: [
            { ...approval('a'), answer: APPROVED },
            { ...approval('b'), answer: EDITED },
          ],
        },
        continuedBy: { id: 'next', status: 'pending', resumeOf: 'r1', messageId: run.messageId },
      });
      expect(await claimRun(storage)).toMatchObject({ id: 'next', threadId: run.threadId });
    });

    promise('takes an answer once, however often it is given', async ({ storage }) => {
      const run = await awaitingRun(storage, 'r1', [approval('a')]);
      await storage.runs.answer(answersTo(run, { a: APPROVED }, 'next'));
      const later = { ...APPROVED, by: 'somebody else', at: APPROVED.at + 1 };
      expect(await storage.runs.answer(answersTo(run, { a: later }, 'another'))).toMatchObject({
        run: { approvals: [{ answer: APPROVED }] },
        continuedBy: { id: 'next' },
      });
      expect(await storage.runs.get('another')).toBeUndefined();
    });

    promise('lets the first answer stand', async ({ storage }) => {
      const run = await awaitingRun(storage, 'r1', [approval('a'), approval('b')]);
      await storage.runs.answer(answersTo(run, { a: APPROVED }));
      const other = { conflicting: { a: DENIED, b: APPROVED }, edited: { a: EDITED } };
      for (const answers of Object.values(other)) {
        const result = await storage.runs.answer(answersTo(run, answers));
        expect(result).toEqual({ outcome: 'conflict', approvalId: 'a' });
      }
      const { approvals } = (await storage.runs.get('r1')) ?? {};
      expect(approvals).toEqual([{ ...approval('a'), answer: APPROVED }, approval('b')]);
    });

    promise('makes one run of last answers that come at the same time', async ({ storage }) => {
      const run = await awaitingRun(storage, 'r1', [approval('a'), approval('b')]);
      const results = await Promise.all([
        storage.runs.answer(answersTo(run, { a: APPROVED }, 'one')),
        storage.runs.answer(answersTo(run, { b: APPROVED }, 'two')),
        storage.runs.answer(answersTo(run, { a: APPROVED, b: APPROVED }, 'three')),
      ]);
      const made = ['one', 'two', 'three'].map((id) => storage.runs.get(id));
      expect((await Promise.all(made)).filter(Boolean)).toHaveLength(1);
      const ids = results.flatMap((result) => ('continuedBy' in result ? [result.continuedBy?.id] : []));
      expect(new Set(ids).size).toBe(1);
    });

    promise('answers nothing that nobody asked', async ({ storage }) => {
      const run = await awaitingRun(storage, 'r1', [approval('a')]);
      const unknown = await storage.runs.answer(answersTo(run, { a: APPROVED, z: APPROVED }));
      expect(unknown).toEqual({ outcome: 'unknown', approvalId: 'z' });
      expect((await storage.runs.get('r1'))?.approvals).toEqual([approval('a')]);
      const ended = await storage.runs.create(newRun('r2', { threadId: 't2' }));
      if (ended.outcome !== 'created') throw new Error(`Not created: ${ended.outcome}.`);
      const running = await claimRun(storage);
      if (!running) throw new Error('There is nothing to claim.');
      await endRun(storage, running);
      expect(await storage.runs.answer(answersTo(running, { a: APPROVED }))).toEqual({ outcome: 'closed' });
    });

    promise('lets a later message close what waits, or refuses the message', async ({ storage }) => {
      const { threadId } = await awaitingRun(storage, 'r1', [approval('a', 1)]);
      const run = { id: 'r1', threadId, messageId: 'message-of-r1' };
      const refused = await storage.runs.create(newRun('r2', { threadId, whenAwaiting: 'reject' }));
      expect(refused).toEqual({ outcome: 'awaiting', runId: 'r1' });
      expect(await storage.runs.create(newRun('r2', { threadId }))).toMatchObject({ outcome: 'created' });
      expect(await storage.runs.answer(answersTo(run, { a: APPROVED }))).toEqual({ outcome: 'closed' });
      expect(await storage.runs.listExpired(10)).toEqual([]);
      expect((await storage.runs.get('r1'))?.approvals).toEqual([approval('a', 1)]);
    });

    promise('finds what has expired, the longest expired first', async ({ storage, advance }) => {
      const { createdAt } = await awaitingRun(storage, 'r1', [approval('a')]);
      const at = createdAt + 60_000;
      await awaitingRun(storage, 'r2', [approval('a', at + 2), approval('b', at + 90_000)]);
      await awaitingRun(storage, 'r3', [approval('a'), approval('b', at + 1)]);
      const run = await awaitingRun(storage, 'r4', [approval('a', at), approval('b')]);
      expect(await storage.runs.listExpired(10)).toEqual([]);
      await advance(70_000);
      const expired = async (limit: number) => (await storage.runs.listExpired(limit)).map(({ id }) => id);
      expect(await expired(10)).toEqual(['r4', 'r3', 'r2']);
      expect(await expired(2)).toEqual(['r4', 'r3']);
      await storage.runs.answer(answersTo(run, { a: DENIED }));
      expect(await expired(10)).toEqual(['r3', 'r2']);
    });
  });
}

const APPROVED: GivenAnswer = { decision: 'approve', by: 'alice', at: 1_800_000_000_000 };
const EDITED: GivenAnswer = { ...APPROVED, decision: 'edit', input: { item: 'less' } };
const DENIED: GivenAnswer = { ...APPROVED, decision: 'deny', reason: 'Too much.' };

function answersTo(
  { id, threadId, messageId }: Pick<Run, 'id' | 'threadId' | 'messageId'>,
  answers: NewAnswers['answers'],
  next = 'next',
): NewAnswers {
  const continuation = newRun(next, { threadId, messageId, thread: 'existing', resumeOf: id });
  return { runId: id, answers, continuation };
}

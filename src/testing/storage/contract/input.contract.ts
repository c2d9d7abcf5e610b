import type { RecordedDecision } from '../../../events/requested-input.js';
import type { Run } from '../../../runs/run.js';
import type { NewDecisions } from '../../../runs/run.store.js';
import type { ContractSuite } from '../storage-harness.js';
import { ALICE, approval, awaitingRun, claimRun, endRun, newRun } from '../storage-samples.js';

export function inputPromises({ describe, test, expect }: ContractSuite): void {
  describe('inputs of a run', () => {
    test('stores the inputs that a run stopped for, and frees its thread', async ({ storage }) => {
      const run = await awaitingRun(storage, 'r1', [approval('a'), approval('b', 5)]);
      expect(await storage.runs.get('r1')).toMatchObject({
        status: 'awaiting-input',
        inputs: [approval('a'), approval('b', 5)],
      });
      expect((await storage.runs.getThread(ALICE, run.threadId))?.activeRunId).toBeUndefined();
    });

    test('continues a run with the last missing answer and not before', async ({ storage }) => {
      const run = await awaitingRun(storage, 'r1', [approval('a'), approval('b')]);
      const first = await storage.runs.decide(answersTo(run, { a: APPROVED }));
      expect(first).toMatchObject({ outcome: 'answered', run: { id: 'r1' } });
      expect('continuedBy' in first).toBe(false);
      expect(await claimRun(storage)).toBeUndefined();

      const last = await storage.runs.decide(answersTo(run, { b: EDITED }));
      expect(last).toMatchObject({
        outcome: 'answered',
        run: {
          inputs: [
            { ...approval('a'), answer: APPROVED },
            { ...approval('b'), answer: EDITED },
          ],
        },
        continuedBy: { id: 'next', status: 'pending', resumeOf: 'r1', messageId: run.messageId },
      });
      expect(await claimRun(storage)).toMatchObject({ id: 'next', threadId: run.threadId });
    });

    test('tells which run continues one, when it is read and in lists', async ({ storage }) => {
      const run = await awaitingRun(storage, 'r1', [approval('a'), approval('b')]);
      await storage.runs.decide(answersTo(run, { a: APPROVED }));
      const link = async (id: string) => (await storage.runs.get(id))?.continuedBy;
      expect(await link('r1')).toBeUndefined();
      await storage.runs.decide(answersTo(run, { b: APPROVED }));
      expect(await link('r1')).toBe('next');
      expect(await link('next')).toBeUndefined();
      const { items } = await storage.runs.findRuns({}, { limit: 5 });
      expect(items.map(({ id, continuedBy }) => [id, continuedBy])).toEqual([
        ['next', undefined],
        ['r1', 'next'],
      ]);
    });

    test('takes an answer once, even if it is given again', async ({ storage }) => {
      const run = await awaitingRun(storage, 'r1', [approval('a')]);
      await storage.runs.decide(answersTo(run, { a: APPROVED }, 'next'));
      const later = { ...APPROVED, by: 'somebody else', at: APPROVED.at + 1 };
      expect(await storage.runs.decide(answersTo(run, { a: later }, 'another'))).toMatchObject({
        run: { inputs: [{ answer: APPROVED }] },
        continuedBy: { id: 'next' },
      });
      expect(await storage.runs.get('another')).toBeUndefined();
    });

    test('refuses answers that contradict the first one', async ({ storage }) => {
      const run = await awaitingRun(storage, 'r1', [approval('a'), approval('b')]);
      await storage.runs.decide(answersTo(run, { a: APPROVED }));
      const other = { conflicting: { a: DENIED, b: APPROVED }, edited: { a: EDITED } };
      for (const answers of Object.values(other)) {
        const result = await storage.runs.decide(answersTo(run, answers));
        expect(result).toEqual({ outcome: 'conflict', inputId: 'a' });
      }
      const { inputs } = (await storage.runs.get('r1')) ?? {};
      expect(inputs).toEqual([{ ...approval('a'), answer: APPROVED }, approval('b')]);
    });

    test('stores requests of every kind and any value as an answer', async ({ storage }) => {
      const values = [null, false, 0, '', 'a\u0000\ud800b', [1, [2]], { deep: { value: null } }];
      for (const [index, value] of values.entries()) {
        const id = `q${index}`;
        const asked = {
          inputId: 'i',
          kind: 'interrupt',
          stepId: 's',
          value,
          schema: { type: 'object' },
        } as const;
        const form = {
          inputId: 'e',
          kind: 'elicitation',
          stepId: 's',
          toolCallId: 'c',
          toolName: 't',
        } as const;
        const asking = [asked, { ...form, message: 'Who?', schema: {} }];
        const run = await awaitingRun(storage, id, asking, { threadId: `t-${id}` });
        const answer = { decision: 'answer', value, by: 'ann', at: 7 } as const;
        const declined = { decision: 'deny', by: 'ann', at: 7 } as const;
        const result = await storage.runs.decide(answersTo(run, { i: answer, e: declined }, `next-${id}`));
        expect(result).toMatchObject({ outcome: 'answered', continuedBy: { id: `next-${id}` } });
        expect((await storage.runs.get(id))?.inputs).toEqual([
          { ...asked, answer },
          { ...asking[1], answer: declined },
        ]);
        await endRun(storage, (await claimRun(storage))!);
        const other = { ...answer, value: 'another' };
        expect(await storage.runs.decide(answersTo(run, { i: other }, 'never'))).toEqual({
          outcome: 'conflict',
          inputId: 'i',
        });
      }
    });

    test('starts one run when last answers come at the same time', async ({ storage }) => {
      const run = await awaitingRun(storage, 'r1', [approval('a'), approval('b')]);
      const results = await Promise.all([
        storage.runs.decide(answersTo(run, { a: APPROVED }, 'one')),
        storage.runs.decide(answersTo(run, { b: APPROVED }, 'two')),
        storage.runs.decide(answersTo(run, { a: APPROVED, b: APPROVED }, 'three')),
      ]);
      const made = ['one', 'two', 'three'].map((id) => storage.runs.get(id));
      expect((await Promise.all(made)).filter(Boolean)).toHaveLength(1);
      const ids = results.flatMap((result) => ('continuedBy' in result ? [result.continuedBy?.id] : []));
      expect(new Set(ids).size).toBe(1);
    });

    test('refuses answers to unknown inputs and to a run that waits for nothing', async ({ storage }) => {
      const run = await awaitingRun(storage, 'r1', [approval('a')]);
      const unknown = await storage.runs.decide(answersTo(run, { a: APPROVED, z: APPROVED }));
      expect(unknown).toEqual({ outcome: 'unknown', inputId: 'z' });
      expect((await storage.runs.get('r1'))?.inputs).toEqual([approval('a')]);
      const ended = await storage.runs.create(newRun('r2', { threadId: 't2' }));
      if (ended.outcome !== 'created') throw new Error(`Not created: ${ended.outcome}.`);
      const running = await claimRun(storage);
      if (!running) throw new Error('There is nothing to claim.');
      await endRun(storage, running);
      expect(await storage.runs.decide(answersTo(running, { a: APPROVED }))).toEqual({ outcome: 'closed' });
    });

    test('closes open inputs at a later message, or refuses the message', async ({ storage }) => {
      const { threadId } = await awaitingRun(storage, 'r1', [approval('a', 1)]);
      const run = { id: 'r1', threadId, messageId: 'message-of-r1' };
      const refused = await storage.runs.create(newRun('r2', { threadId, whenAwaiting: 'reject' }));
      expect(refused).toEqual({ outcome: 'awaiting', runId: 'r1' });
      expect(await storage.runs.create(newRun('r2', { threadId }))).toMatchObject({ outcome: 'created' });
      expect(await storage.runs.decide(answersTo(run, { a: APPROVED }))).toEqual({ outcome: 'closed' });
      expect(await storage.runs.listExpired(10)).toEqual([]);
      expect((await storage.runs.get('r1'))?.inputs).toEqual([approval('a', 1)]);
    });

    test('lists expired inputs, the longest expired first', async ({ storage, advance }) => {
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
      await storage.runs.decide(answersTo(run, { a: DENIED }));
      expect(await expired(10)).toEqual(['r3', 'r2']);
    });
  });
}

const APPROVED: RecordedDecision = { decision: 'approve', by: 'alice', at: 1_800_000_000_000 };
const EDITED: RecordedDecision = { ...APPROVED, decision: 'edit', input: { item: 'less' } };
const DENIED: RecordedDecision = { ...APPROVED, decision: 'deny', reason: 'Too much.' };

function answersTo(
  { id, threadId, messageId }: Pick<Run, 'id' | 'threadId' | 'messageId'>,
  answers: NewDecisions['answers'],
  next = 'next',
): NewDecisions {
  const continuation = newRun(next, { threadId, messageId, thread: 'existing', resumeOf: id });
  return { runId: id, answers, continuation };
}

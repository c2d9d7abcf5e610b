// cspell:ignore armelturm Ärmelturm hoch Große megalodon quetzalcoatlus ความสูง เมตร
import type { Run } from '../../../runs/run.js';
import type { ThreadListRequest } from '../../../runs/run.store.js';
import { parseSearch } from '../../../runs/search-words.js';
import type { ThreadMatch } from '../../../runs/thread-search.js';
import type { Principal } from '../../../principal.js';
import type { Storage } from '../../../storage/storage.js';
import type { ContractSuite } from '../storage-harness.js';
import {
  ALICE,
  approval,
  BOB,
  endRun,
  newRun,
  OTHER_ALICE,
  ownedRun,
  recorded,
  toEnding,
  USAGE,
} from '../storage-samples.js';

export function searchContract({ describe, test, expect }: ContractSuite): void {
  describe('searchThreads', () => {
    test('finds ended runs by all words of their question and answer, whatever their accents and case', async ({
      storage,
    }) => {
      await saidRun(storage, 'r1', {
        message: 'Wie hoch ist der Große Ärmelturm?',
        answer: 'It is 324 metres tall.',
      });
      await saidRun(storage, 'r2', { message: 'And the tower?', answer: 'Nothing is known.' });
      const searches = {
        'ARMELTURM METRES': ['r1'],
        'metres armelturm 324': ['r1'],
        'armelturm nothing': [],
        grosse: ['r1'],
        tower: ['r2'],
        'is t': ['r1', 'r2'],
        'i tall': [],
        arm: ['r1'],
        'arm tall': [],
      };
      for (const [search, expected] of Object.entries(searches))
        expect([search, (await list(storage, search)).toSorted()]).toEqual([
          search,
          expected.map((id) => `thread-of-${id}`),
        ]);
    });

    test('finds words of scripts that put no spaces between them, from their first character on', async ({
      storage,
    }) => {
      await saidRun(storage, 'r1', { message: '東京タワーの高さは?', answer: 'ความสูง 333 เมตร' });
      for (const search of ['東', '京タ', 'タワーの高さ', 'さ', 'สูง', '東京 333'])
        expect([search, await list(storage, search)]).toEqual([search, ['thread-of-r1']]);
      for (const search of ['京東', '塔', 'タワーさ']) expect(await list(storage, search)).toEqual([]);
    });

    test('shows the newest run of a thread that was found, and the words around', async ({ storage }) => {
      await saidRun(storage, 'r1', { threadId: 't1', message: 'old zebras', answer: 'Zebras have stripes.' });
      await saidRun(storage, 'r2', {
        threadId: 't1',
        message: 'new zebras',
        answer: `${'word '.repeat(50)}A zebra!`,
      });
      await saidRun(storage, 'r3', { threadId: 't1', message: 'lions', answer: 'No stripes\u0000 at all.' });
      const [zebra] = (await find(storage, 'zebra')).items;
      expect(zebra?.thread).toEqual(await storage.runs.getThread(ALICE, 't1'));
      expect(zebra?.place).toMatchObject({ in: 'answer', runId: 'r2' });
      expect(zebra && marked(zebra)).toEqual(['zebra']);
      expect([zebra?.place.text.slice(0, 1), zebra?.place.text.slice(-8)]).toEqual(['…', 'A zebra!']);
      const places = async (search: string) =>
        (await find(storage, search)).items.map((match) => [
          match.place.runId,
          match.place.in,
          marked(match),
        ]);
      expect(await places('new zeb')).toEqual([['r2', 'question', ['new', 'zebras']]]);
      expect(await places('old')).toEqual([['r1', 'question', ['old']]]);
      expect(await places('stripes')).toEqual([['r3', 'answer', ['stripes']]]);
    });

    test('finds a run only once it has ended, and the question of a continued run only in the one that was asked', async ({
      storage,
    }) => {
      const message = 'May I have a giraffe?';
      const run = await ownedRun(storage, 'r1', { threadId: 't1', message });
      expect(await list(storage, 'giraffe')).toEqual([]);
      const inputs = [approval('i1')];
      const end = { type: 'end', outcome: 'awaiting-input', usage: USAGE, durationMs: 1 } as const;
      const said = { owner: ALICE, question: message, answer: 'Wait.' };
      const ending = { outcome: 'awaiting-input', usage: USAGE, inputs, said } as const;
      await storage.log.append([
        { runId: 'r1', epoch: run.epoch, afterSeq: 0, events: [recorded(run, 1, end)], ending },
      ]);
      const answer = { decision: 'approve', by: 'alice', at: 1 } as const;
      const continuation = newRun('r2', { threadId: 't1', thread: 'existing', message, resumeOf: 'r1' });
      await storage.runs.decide({ runId: 'r1', answers: { i1: answer }, continuation });
      const next = await storage.runs.claim({ ownerId: 'owner', leaseMs: 1_000 });
      if (!next) throw new Error('The run that continues was not claimed.');
      await endSaying(storage, next, { question: '', answer: 'Here it is.' });
      const [match] = (await find(storage, 'giraffe')).items;
      expect(match?.place).toMatchObject({ in: 'question', runId: 'r1' });
      expect((await find(storage, 'here')).items[0]?.place).toMatchObject({ in: 'answer', runId: 'r2' });
    });

    test('finds threads by a title that was given, until there is another', async ({ storage }) => {
      await saidRun(storage, 'r1', { threadId: 't1', message: 'lions', answer: 'Yes.' });
      await storage.runs.changeThread(ALICE, 't1', { title: 'Big cats' });
      const [match] = (await find(storage, 'big ca')).items;
      expect(match?.thread).toMatchObject({ id: 't1', title: 'Big cats' });
      expect(match?.place).toEqual({
        in: 'title',
        text: 'Big cats',
        marks: [
          { start: 0, end: 3 },
          { start: 4, end: 8 },
        ],
      });
      await storage.runs.changeThread(ALICE, 't1', { pinned: true });
      expect(await list(storage, 'cats')).toEqual(['t1']);
      await storage.runs.changeThread(ALICE, 't1', { title: '!' });
      expect(await list(storage, 'cats')).toEqual([]);
      expect(await list(storage, 'lions')).toEqual(['t1']);
    });

    test('finds threads of their owner only', async ({ storage }) => {
      for (const [id, principal] of [
        ['a', ALICE],
        ['b', BOB],
        ['o', OTHER_ALICE],
      ] as const) {
        await saidRun(storage, id, { principal, threadId: 't1', message: 'secret', answer: `word ${id}` });
        await storage.runs.changeThread(principal, 't1', { title: `Title ${id}` });
      }
      for (const [id, principal] of [
        ['a', ALICE],
        ['b', BOB],
        ['o', OTHER_ALICE],
      ] as const) {
        for (const search of ['secret', 'word', 'title']) {
          const { items } = await find(storage, search, { principal });
          expect(items.map(({ thread }) => thread.title)).toEqual([`Title ${id}`]);
        }
      }
    });

    test('lists found threads by their latest change, in pages, and with the filters of a list', async ({
      storage,
      advance,
    }) => {
      for (const id of ['1', '2', '3', '4', '5']) {
        await saidRun(storage, `r${id}`, { threadId: `t${id}`, message: 'zebra', answer: `number ${id}` });
        if (id !== '3') await advance(10);
      }
      const first = await find(storage, 'zebra', { limit: 2 });
      expect(first.items.map(({ thread }) => thread.id)).toEqual(['t5', 't4']);
      const second = await find(storage, 'zebra', { limit: 2, cursor: String(first.nextCursor) });
      expect(second.items.map(({ thread }) => thread.id)).toEqual(['t3', 't2']);
      const third = await find(storage, 'zebra', { limit: 2, cursor: String(second.nextCursor) });
      expect(third.items.map(({ thread }) => thread.id)).toEqual(['t1']);
      expect(third.nextCursor).toBeUndefined();

      await storage.runs.changeThread(ALICE, 't1', { pinned: true });
      await storage.runs.changeThread(ALICE, 't2', { archived: true });
      const filtered = async (filter: Partial<ThreadListRequest>) =>
        (await find(storage, 'zebra', filter)).items.map(({ thread }) => thread.id);
      expect(await filtered({ archived: false, pinned: false })).toEqual(['t5', 't4', 't3']);
      expect(await filtered({ archived: true })).toEqual(['t2']);
      expect(await filtered({ pinned: true })).toEqual(['t1']);
      expect(await filtered({ waiting: true })).toEqual([]);
    });

    test('leaves no word of a deleted thread in the index', async ({ storage, whereIs }) => {
      await saidRun(storage, 'r1', { threadId: 't1', message: 'quetzalcoatlus', answer: 'pterosaur' });
      await saidRun(storage, 'r2', { threadId: 't2', message: 'megalodon', answer: 'shark' });
      await storage.runs.changeThread(ALICE, 't1', { title: 'archaeopteryx' });
      const words = ['quetzalcoatlus', 'pterosaur', 'archaeopteryx', 'megalodon', 'shark'];
      for (const word of words) expect((await list(storage, word)).length).toBe(1);
      await storage.runs.deleteThread(ALICE, 't1');
      await storage.retention.deleteIdleThreads({ unchangedSince: Number.MAX_SAFE_INTEGER, limit: 1 });
      for (const word of words) {
        expect(await list(storage, word)).toEqual([]);
        expect([word, (await whereIs?.(word)) ?? []]).toEqual([word, []]);
      }
      // The same ids, and nothing of what was there before.
      await saidRun(storage, 'r1', { threadId: 't1', message: 'sparrow', answer: 'bird' });
      expect(await list(storage, 'pterosaur')).toEqual([]);
      expect(await list(storage, 'sparrow')).toEqual(['t1']);
    });

    test('takes text of any length and kind, and finds what comes first', async ({ storage }) => {
      const many = Array.from({ length: 20_000 }, (_, index) => `ﷺ${index.toString(36)}`).join(' ');
      const odd = `first \u0000'":*&|!()\\ \uD800 ${'😀'.repeat(50)} ${'𝔘'.repeat(5_000)} ${many}`;
      await saidRun(storage, 'r1', { message: odd, answer: odd });
      await saidRun(storage, 'r2', { message: '?', answer: '' });
      expect(await list(storage, 'first')).toEqual(['thread-of-r1']);
      expect(await list(storage, 'u'.repeat(60))).toEqual(['thread-of-r1']);
      expect(await storage.runs.get('r2')).toMatchObject({ status: 'completed' });
    });

    test('lets earlier runs be indexed once they have ended, and knows that later ones are', async ({
      storage,
    }) => {
      const said = { owner: ALICE, question: 'zebra', answer: '' };
      const run = await ownedRun(storage, 'r1');
      await storage.retention.index('r1', said);
      await storage.retention.index('r2', said);
      expect(await list(storage, 'zebra')).toEqual([]);
      await endRun(storage, run);
      expect(await storage.retention.listUnindexed(10)).toEqual([]);
      await storage.retention.index('r1', said);
      expect(await list(storage, 'zebra')).toEqual([]);
    });
  });
}

interface Said {
  readonly threadId?: string;
  readonly principal?: Principal;
  readonly message: string;
  readonly answer: string;
}

/** Makes a run that has said this. */
async function saidRun(storage: Storage, id: string, { answer, ...differences }: Said): Promise<void> {
  const run = await ownedRun(storage, id, differences);
  await endSaying(storage, run, { question: run.message, answer });
}

async function endSaying(
  storage: Storage,
  run: Run,
  text: { readonly question: string; readonly answer: string },
): Promise<void> {
  const batch = toEnding(run, 0);
  const said = { owner: run.principal, ...text };
  const ending = batch.ending && { ...batch.ending, said };
  const [result] = await storage.log.append([{ ...batch, ...(ending && { ending }) }]);
  if (result !== 'appended') throw new Error(`Run ${run.id} could not be ended.`);
}

function find(
  storage: Storage,
  search: string,
  { principal = ALICE, ...page }: Partial<ThreadListRequest> & { readonly principal?: Principal } = {},
) {
  return storage.runs.searchThreads(principal, { limit: 10, ...page, terms: parseSearch(search) });
}

async function list(storage: Storage, search: string): Promise<string[]> {
  return (await find(storage, search)).items.map(({ thread }) => thread.id);
}

/** Returns the words that are marked. */
function marked({ place: { text, marks } }: ThreadMatch): string[] {
  return marks.map(({ start, end }) => text.slice(start, end));
}

// cspell:ignore hoch
import { inspect } from 'node:util';
import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Agent } from '../agents/agent.js';
import { AppError } from '../errors.js';
import { MemoryStorage } from '../storage/memory/memory.storage.js';
import { ScriptedAgent } from '../testing/scripted.agent.js';
import { ALICE, newRun } from '../testing/storage/storage-samples.js';
import { Prices } from './prices.js';
import type { Run } from './run.js';
import { cleanTitle, ThreadTitles } from './thread-titles.js';

// What is logged of titles that could not be made is not what is tested.
Logger.overrideLogger(false);

type MakeTitle = NonNullable<Agent['makeTitle']>;

const PRICES = new Prices({ models: { small: { input: 1, output: 2 } } });
const CALL = {
  type: 'usage',
  model: 'small',
  inputTokens: 1_000,
  outputTokens: 10,
  totalTokens: 1_010,
} as const;

describe('titles of threads by the model', () => {
  let storage: MemoryStorage;
  let titles: ThreadTitles;

  beforeEach(() => {
    storage = new MemoryStorage();
    titles = new ThreadTitles({ runs: storage.runs, prices: PRICES });
  });
  afterEach(() => titles.stop());

  const agentWith = (makeTitle: MakeTitle): Agent =>
    Object.assign(new ScriptedAgent(() => {}), { makeTitle });

  async function createRun(id: string, message: string, threadId = 't1'): Promise<Run> {
    const created = await storage.runs.create(newRun(id, { threadId, message, whenBusy: 'queue' }));
    if (created.outcome !== 'created') throw new Error(`The run was not created: ${created.outcome}.`);
    return created.run;
  }

  /** Asks for a title, and resolves once it is made or given up. */
  async function name(run: Run, makeTitle: MakeTitle, answer = 'An answer.'): Promise<string | undefined> {
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const agent = agentWith(async (...asked) => {
      try {
        return await makeTitle(...asked);
      } finally {
        end();
      }
    });
    titles.nameSoon(run, agent, { owner: ALICE, question: run.message, answer });
    await ended;
    await titles.settled();
    return (await storage.runs.getThread(ALICE, run.threadId))?.title;
  }

  it('take the place of the first line, and are found by a search', async () => {
    const run = await createRun('r1', 'How tall is it?\nThe tower, I mean.');
    const asked: unknown[] = [];
    const title = await name(run, async (begun) => {
      asked.push(begun);
      return '"Height of the tower".';
    });
    expect(title).toBe('Height of the tower');
    expect(asked).toEqual([{ question: 'How tall is it?\nThe tower, I mean.', answer: 'An answer.' }]);
    const terms = [{ word: 'height', isPrefix: false }];
    expect((await storage.runs.searchThreads(ALICE, { limit: 1, terms })).items).toHaveLength(1);
  });

  it('are not asked for after a change of the state, which no person has asked', async () => {
    const run = await createRun('r1', 'Hello');
    const agent = agentWith(async () => 'Made');
    const changed = { ...run, given: { stateChange: { updates: [] } } };
    titles.nameSoon(changed, agent, { owner: ALICE, question: run.message, answer: 'Changed.' });
    await titles.settled();
    expect((await storage.runs.getThread(ALICE, 't1'))?.title).toBe('Hello');
  });

  it('leave a name that a person gives while the model thinks', async () => {
    const run = await createRun('r1', 'first');
    const title = await name(run, async () => {
      await storage.runs.changeThread(ALICE, 't1', { title: 'Mine' });
      return 'By the model';
    });
    expect(title).toBe('Mine');
  });

  it('are not asked for in a thread that has a name, nor without an answer or a model', async () => {
    await createRun('r1', 'first');
    const second = await createRun('r2', 'second');
    const asked: string[] = [];
    const makeTitle: MakeTitle = async ({ question }) => {
      asked.push(question);
      return 'By the model';
    };
    const said = { owner: ALICE, question: '', answer: 'An answer.' };
    titles.nameSoon(second, agentWith(makeTitle), said);
    titles.nameSoon(await createRun('r3', 'third', 't3'), agentWith(makeTitle), { ...said, answer: ' ' });
    titles.nameSoon(await createRun('r4', 'fourth', 't4'), new ScriptedAgent(() => {}), said);
    await titles.settled();
    expect(asked).toEqual([]);
  });

  it('stay the first line when the model fails, says nothing, or is asked by a process that stops', async () => {
    const fail = () => Promise.reject(new Error('The provider is away.'));
    expect(await name(await createRun('r1', 'one', 't1'), fail)).toBe('one');
    expect(await name(await createRun('r2', 'two', 't2'), async () => ' "…"\n')).toBe('two');
    const begun = Promise.withResolvers<void>();
    const deaf = agentWith(() => {
      begun.resolve();
      return new Promise(() => {});
    });
    const run = await createRun('r3', 'three', 't3');
    titles.nameSoon(run, deaf, { owner: ALICE, question: '', answer: 'An answer.' });
    await begun.promise;
    await titles.stop();
    expect((await storage.runs.getThread(ALICE, 't3'))?.title).toBe('three');
  });

  it('log the name and code of a failure, and not its words', async () => {
    const logged: unknown[] = [];
    const silent = () => undefined;
    Logger.overrideLogger({ log: silent, error: silent, warn: (...facts: unknown[]) => logged.push(facts) });
    try {
      const quoting = Object.assign(new TypeError('Not allowed: my secret question'), { code: 'E_QUOTE' });
      await name(await createRun('r1', 'one'), () => Promise.reject(quoting));
      await name(await createRun('r2', 'two', 't2'), () =>
        Promise.reject(new AppError('MODEL_REFUSED', 'The provider refused.')),
      );
    } finally {
      Logger.overrideLogger(false);
    }
    expect(logged).toHaveLength(2);
    expect(inspect(logged, { depth: 10 })).not.toContain('secret');
    expect(logged[0]).toMatchObject([
      { errorName: 'TypeError', errorCode: 'E_QUOTE', runId: 'r1' },
      expect.anything(),
      expect.anything(),
    ]);
    expect(logged[1]).toMatchObject([
      { err: { code: 'MODEL_REFUSED' } },
      expect.anything(),
      expect.anything(),
    ]);
  });

  describe('and the tokens of their model calls', () => {
    const listSpending = () => storage.runs.listSpending({ by: ['user', 'agent'], limit: 10 });
    const charged = { inputTokens: 1_000, outputTokens: 10, totalTokens: 1_010, costMicros: 1_020 };

    it('are charged to the person who asked and to the agent, at their price, and count no run', async () => {
      const run = await createRun('r1', 'first');
      const title = await name(run, async (_begun, _signal, { report }) => {
        report(CALL);
        report({ ...CALL, model: 'unknown', inputTokens: 0, totalTokens: 10 });
        return 'By the model';
      });
      expect(title).toBe('By the model');
      const usage = { ...charged, outputTokens: 20, totalTokens: 1_020, unpricedTokens: 10 };
      const { tenant, userId } = ALICE;
      expect(await listSpending()).toEqual([{ tenant, userId, agent: run.agent, runs: 0, usage }]);
      expect(await storage.runs.sumUsage(ALICE, 't1')).toBeUndefined();
    });

    it.each<[string, MakeTitle]>([
      ['the model fails afterwards', () => Promise.reject(new Error('The provider is away.'))],
      ['no title comes of it', async () => '…'],
    ])('are charged if %s', async (_, makeTitle) => {
      const title = await name(await createRun('r1', 'first'), (...asked) => {
        asked[2].report(CALL);
        return makeTitle(...asked);
      });
      expect(title).toBe('first');
      expect(await listSpending()).toMatchObject([{ runs: 0, usage: charged }]);
    });

    it('are charged for each call of the model, and not for one that reports none', async () => {
      const makeTitle: MakeTitle = async (_begun, _signal, { report }) => {
        report({ ...CALL, inputTokens: 0, outputTokens: 0, totalTokens: 0, failed: true });
        return '';
      };
      const run = await createRun('r1', 'first');
      await name(run, makeTitle);
      expect(await listSpending()).toEqual([]);
      const again: MakeTitle = async (begun, signal, context) => {
        context.report(CALL);
        return makeTitle(begun, signal, context);
      };
      await name(run, again);
      await name(run, again);
      expect(await listSpending()).toMatchObject([{ runs: 0, usage: { totalTokens: 2_020 } }]);
    });

    it('are nothing where a provider counts what no call can have', async () => {
      await name(await createRun('r1', 'first'), async (_begun, _signal, { report }) => {
        report({ ...CALL, inputTokens: 1e308, outputTokens: -5, totalTokens: Number.NaN });
        report({ ...CALL, inputTokens: -1e308, outputTokens: 7, totalTokens: Infinity, costMicros: -1 });
        return '';
      });
      const usage = { inputTokens: 0, outputTokens: 7, totalTokens: 7, costMicros: 14 };
      expect(await listSpending()).toMatchObject([{ runs: 0, usage }]);
    });

    it('cost no title when the storage does not take them', async () => {
      const { runs } = storage;
      titles = new ThreadTitles({
        runs: {
          getThread: (...asked) => runs.getThread(...asked),
          changeThread: (...asked) => runs.changeThread(...asked),
          chargeUsage: () => Promise.reject(new AppError('STORAGE_FAILED', 'The storage is away.')),
        },
      });
      const title = await name(await createRun('r1', 'first'), async (_begun, _signal, { report }) => {
        report(CALL);
        return 'By the model';
      });
      expect(title).toBe('By the model');
      expect(await listSpending()).toEqual([]);
    });

    it('are not charged any more once the process has stopped', async () => {
      const begun = Promise.withResolvers<() => void>();
      const deaf = agentWith((_begun, _signal, { report }) => {
        begun.resolve(() => report(CALL));
        return new Promise(() => {});
      });
      const run = await createRun('r1', 'first');
      titles.nameSoon(run, deaf, { owner: ALICE, question: '', answer: 'An answer.' });
      const report = await begun.promise;
      report();
      await titles.stop();
      report();
      await titles.settled();
      expect(await listSpending()).toMatchObject([{ usage: charged }]);
    });
  });

  it('are made a few at a time', async () => {
    let calls = 0;
    const gate = Promise.withResolvers<string>();
    const agent = agentWith(() => {
      calls += 1;
      return gate.promise;
    });
    for (let index = 0; index < 10; index += 1) {
      const run = await createRun(`r${index}`, `message ${index}`, `t${index}`);
      titles.nameSoon(run, agent, { owner: ALICE, question: '', answer: 'An answer.' });
    }
    gate.resolve('Named');
    await titles.settled();
    expect(calls).toBe(4);
    const named = (await storage.runs.listThreads(ALICE, { limit: 20 })).items.filter(
      ({ title }) => title === 'Named',
    );
    expect(named).toHaveLength(4);
  });

  it.each([
    ['Height of the tower', 'Height of the tower'],
    ['\n**Title: "Height of the tower."**\nIt is about a tower.', 'Height of the tower'],
    ['# „Wie hoch?“', 'Wie hoch?'],
    ['`x` and why?', 'x` and why?'],
    ['...\n', ''],
    ['', ''],
    ['a'.repeat(100), `${'a'.repeat(79)}…`],
  ])('are one line without the marks around: %j', (said, title) => {
    expect(cleanTitle(said)).toBe(title);
  });
});

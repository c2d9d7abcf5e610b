import { describe, expect, it } from '@jest/globals';
import { firstValueFrom, filter } from 'rxjs';
import type { Agent, AgentContext } from '../agents/agent.js';
import { AppError } from '../errors.js';
import type { RecordedEvent } from '../events/recorded-event.js';
import type { RunEnd, RunEvent } from '../events/run-event.js';
import { foldRun, getText } from '../events/run-view.js';
import { MemoryStorage } from '../storage/memory/memory.storage.js';
import { createAnswer, ScriptedAgent } from '../testing/scripted.agent.js';
import { NOTHING_OPEN, trackOpen } from './open-items.js';
import { DEFAULT_LIMITS, findExceeded, NOTHING_SPENT, spend, type RunLimits } from './run-limits.js';
import {
  ADA,
  aborted,
  processWith,
  listTypes,
  type TestProcess,
  type ProcessOptions,
} from './run.testing.js';

type Play = (context: AgentContext) => Promise<void> | void;

const scripted = (play: Play) => new ScriptedAgent((_, context) => play(context));

/** Starts a run of this agent in a process of its own. */
async function startRun(
  agent: Agent,
  options: ProcessOptions = {},
): Promise<TestProcess & { runId: string }> {
  const process = processWith([agent], options);
  await process.executor.start();
  const { id } = await process.runs.start({ principal: ADA, message: 'Hi' });
  return { ...process, runId: id };
}

/** Plays a run to its end, and checks what holds for every log. */
async function playRun(
  play: Play,
  options: ProcessOptions = {},
): Promise<{ log: RecordedEvent[]; end: RunEnd }> {
  const { runId, readLog, executor, storage } = await startRun(scripted(play), options);
  const log = await readLog(runId);
  await executor.drain(0);
  const end = log.at(-1)?.event as RunEnd;
  expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1));
  expect(listTypes(log).filter((type) => type === 'end')).toEqual(['end']);
  const open = log.slice(0, -1).reduce((items, { event, at }) => trackOpen(items, event, at), NOTHING_OPEN);
  expect(open).toEqual(NOTHING_OPEN);
  expect((await storage.runs.get(runId))?.status).toBe(end.outcome);
  return { log, end };
}

const said = (log: readonly RecordedEvent[]) => getText(foldRun('', log));

const emitAll = ({ emit }: AgentContext, events: readonly RunEvent[]) => {
  for (const event of events) void emit(event);
};

/** A step that has begun to speak and to use a tool. */
const HALF_A_STEP: RunEvent[] = [
  { type: 'step-start', stepId: 's', name: 'n', attempt: 1 },
  { type: 'text-start', partId: 'p', stepId: 's', messageId: 'm' },
  { type: 'text-delta', partId: 'p', delta: 'As far as ' },
  { type: 'tool-start', toolCallId: 'c', toolName: 't', stepId: 's', messageId: 'm', label: 'L' },
];

describe('RunExecution', () => {
  it('keeps the events of a run that ends during a lease renewal, and does not release it', async () => {
    const storage = new MemoryStorage();
    const { log, runs } = storage;
    const [append, renew, release] = [log.append.bind(log), runs.renew.bind(runs), runs.release.bind(runs)];
    const refused = Promise.withResolvers<void>();
    const released: string[] = [];
    Object.assign(log, {
      append: async (batches: Parameters<typeof append>[0]) => {
        const results = await append(batches);
        // Stored, and not yet known: meanwhile a renewal finds that the run has ended.
        if (batches.some(({ ending }) => ending)) await refused.promise;
        return results;
      },
    });
    Object.assign(runs, {
      renew: async (renewal: Parameters<typeof renew>[0]) => {
        const results = await renew(renewal);
        if (results.some(({ outcome }) => outcome === 'fenced')) setImmediate(refused.resolve);
        return results;
      },
      release: (ownership: Parameters<typeof release>[0]) => {
        released.push(ownership.runId);
        return release(ownership);
      },
    });
    const agent = scripted((context) => emitAll(context, createAnswer(context, ['Hello'])));
    const { runId, readLog, executor, recent } = await startRun(agent, {
      storage,
      executor: { leaseMs: 1_000 },
    });
    await readLog(runId);
    await executor.drain(0);
    expect(recent.read(runId, 0, 100)?.at(-1)?.event).toMatchObject({ type: 'end', outcome: 'completed' });
    expect(released).toEqual([]);
  });

  it('records every event between run-start and end', async () => {
    const { log, end } = await playRun((context) =>
      emitAll(context, createAnswer(context, ['Hello', ' Ada'])),
    );
    expect(listTypes(log)).toEqual([
      'run-start',
      'step-start',
      'text-start',
      'text-delta',
      'text-end',
      'step-end',
      'end',
    ]);
    expect(said(log)).toBe('Hello Ada');
    expect(end).toEqual({
      type: 'end',
      outcome: 'completed',
      usage: { inputTokens: 0, outputTokens: 0, totalTokens: 0 },
      durationMs: expect.any(Number),
    });
  });

  it('sums the tokens of all model calls in the end event', async () => {
    const usage: RunEvent = { type: 'usage', model: 'x', inputTokens: 1, outputTokens: 2, totalTokens: 3 };
    const { end } = await playRun((context) => emitAll(context, [usage, usage]));
    expect(end.usage).toEqual({ inputTokens: 2, outputTokens: 4, totalTokens: 6 });
  });

  it('records whole token counts even if an agent reports other values', async () => {
    const counted = { inputTokens: 4, outputTokens: null, totalTokens: Number.NaN, reasoningTokens: null };
    const usage = { type: 'usage', model: 'x', ...counted, cachedInputTokens: 3 } as unknown as RunEvent;
    const { log, end } = await playRun((context) => emitAll(context, [usage, usage]));
    const sound = { inputTokens: 4, outputTokens: 0, totalTokens: 4, cachedInputTokens: 3 };
    expect(log.find(({ event }) => event.type === 'usage')?.event).toEqual({
      type: 'usage',
      model: 'x',
      ...sound,
    });
    expect(end.usage).toEqual({
      inputTokens: 8,
      outputTokens: 0,
      totalTokens: 8,
      cachedInputTokens: 6,
    });
  });

  it('fails a run with the code and message of an AppError, and keeps the partial text', async () => {
    const { log, end } = await playRun((context) => {
      emitAll(context, HALF_A_STEP);
      throw new AppError('MODEL_OVERLOADED', 'Try later.', { retryable: true });
    });
    expect(end).toMatchObject({
      outcome: 'failed',
      error: { code: 'MODEL_OVERLOADED', message: 'Try later.', retryable: true },
    });
    expect(said(log)).toBe('As far as ');
  });

  it.each([
    ['an error', new Error('password=hunter2')],
    ['nothing', undefined],
  ])('fails a run with a neutral message when the agent throws %s', async (_, thrown) => {
    const { end } = await playRun(() => {
      throw thrown;
    });
    expect(end).toMatchObject({
      outcome: 'failed',
      error: { code: 'RUN_FAILED', message: 'The agent failed.', retryable: false },
    });
  });

  it('fails a run when its agent throws synchronously', async () => {
    class Hasty extends ScriptedAgent {
      override run(): Promise<void> {
        throw new AppError('CONFIG_INVALID', 'Not set up.');
      }
    }
    const { runId, readLog, executor } = await startRun(new Hasty(() => undefined));
    expect((await readLog(runId)).at(-1)?.event).toMatchObject({ error: { code: 'CONFIG_INVALID' } });
    await executor.drain(0);
  });

  it('ends a cancelled run while its agent ignores the signal, keeps the text and closes what was open', async () => {
    const reached = Promise.withResolvers<void>();
    const deaf = Promise.withResolvers<void>();
    const { runId, runs, feed, readLog, executor } = await startRun(
      scripted(async (context) => {
        emitAll(context, HALF_A_STEP);
        context.signal.addEventListener('abort', () => reached.resolve());
        await deaf.promise;
        emitAll(context, [{ type: 'text-delta', partId: 'p', delta: 'unheard' }]);
      }),
    );
    await firstValueFrom(
      feed.follow({ runId, afterSeq: 0 }).pipe(filter(({ event }) => event.type === 'tool-start')),
    );
    await runs.cancel(ADA, runId);
    await reached.promise;
    const log = await readLog(runId);
    deaf.resolve();
    await executor.drain(0);
    expect(listTypes(log).slice(-4)).toEqual(['text-end', 'tool-end', 'step-end', 'end']);
    expect(log.at(-3)?.event).toMatchObject({ toolCallId: 'c', outcome: 'cancelled' });
    expect(log.at(-1)?.event).toMatchObject({ outcome: 'cancelled' });
    expect(log.at(-1)?.event).not.toHaveProperty('error');
    expect(said(log)).toBe('As far as ');
    expect(await readLog(runId)).toEqual(log);
  });

  it('ends a cancelled run without a grace period when its agent listens to the signal', async () => {
    const { runId, runs, readLog, executor } = await startRun(scripted(({ signal }) => aborted(signal)));
    await runs.cancel(ADA, runId);
    expect((await readLog(runId)).at(-1)?.event).toMatchObject({ outcome: 'cancelled' });
    await executor.drain(0);
  });

  it('ends a run that was cancelled before the claim without calling its agent', async () => {
    const process = processWith([scripted(() => expect('the agent').toBe('not asked'))]);
    const { id } = await process.runs.start({ principal: ADA, message: 'Hi' });
    await process.runs.cancel(ADA, id);
    await process.executor.start();
    const log = await process.readLog(id);
    expect(listTypes(log)).toEqual(['run-start', 'end']);
    expect(log.at(-1)?.event).toMatchObject({ outcome: 'cancelled' });
    await process.executor.drain(0);
  });

  it('fails a run whose agent is not on this server', async () => {
    const first = processWith([scripted(() => undefined)]);
    const { id } = await first.runs.start({ principal: ADA, message: 'Hi' });
    const second = processWith([], { storage: first.storage });
    await second.executor.start();
    expect((await second.readLog(id)).at(-1)?.event).toMatchObject({
      outcome: 'failed',
      error: { code: 'AGENT_UNKNOWN' },
    });
    await second.executor.drain(0);
  });

  it.each<[keyof RunLimits, Partial<RunLimits>, RunEvent]>([
    [
      'maxModelCalls',
      { maxModelCalls: 3 },
      { type: 'usage', model: 'x', inputTokens: 0, outputTokens: 0, totalTokens: 0 },
    ],
    [
      'maxTokens',
      { maxTokens: 30 },
      { type: 'usage', model: 'x', inputTokens: 1, outputTokens: 9, totalTokens: 10 },
    ],
    [
      'maxToolCalls',
      { maxToolCalls: 3 },
      { type: 'tool-start', toolCallId: 'c', toolName: 't', stepId: 's', messageId: 'm', label: 'L' },
    ],
    ['maxLogBytes', { maxLogBytes: 4_000 }, { type: 'custom', name: 'n', data: 'x'.repeat(1_000) }],
  ])(
    'fails a run with RUN_LIMIT at its limit of %s, even if the agent ignores the signal',
    async (_, limits, event) => {
      const { log, end } = await playRun(
        (context) => {
          for (let count = 0; count < 4; count += 1) void context.emit(event);
          return new Promise<never>(() => undefined);
        },
        { limits },
      );
      expect(end).toMatchObject({ outcome: 'failed', error: { code: 'RUN_LIMIT' } });
      expect(listTypes(log).filter((type) => type === event.type)).toHaveLength(4);
    },
  );

  it('fails a run with RUN_LIMIT when its time is over', async () => {
    const { end } = await playRun(({ signal }) => aborted(signal), { limits: { maxMs: 5 } });
    expect(end).toMatchObject({ outcome: 'failed', error: { code: 'RUN_LIMIT' } });
  });

  it('completes a run without a time limit when maxMs is Infinity', async () => {
    const { end } = await playRun(() => undefined, { limits: { maxMs: Infinity } });
    expect(end.outcome).toBe('completed');
  });

  it('completes a run after data that JSON cannot represent', async () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    const { end } = await playRun((context) =>
      emitAll(context, [{ type: 'custom', name: 'n', data: cycle }]),
    );
    expect(end.outcome).toBe('completed');
  });

  it('makes an agent that emits too fast wait for the log', async () => {
    const delta = 'x'.repeat(64 * 1024);
    let waited = 0;
    const { log } = await playRun(
      async (context) => {
        emitAll(context, HALF_A_STEP);
        for (let count = 0; count < 64; count += 1) {
          const waiting = context.emit({ type: 'text-delta', partId: 'p', delta });
          if (waiting) waited += 1;
          await waiting;
        }
      },
      { limits: { maxLogBytes: Infinity } },
    );
    expect(said(log)).toHaveLength('As far as '.length + 64 * delta.length);
    expect(waited).toBeGreaterThan(0);
  });

  it('tells the agent which tool calls have begun', async () => {
    const { log } = await playRun((context) => {
      emitAll(context, HALF_A_STEP);
      expect([...context.begunCalls]).toEqual([['c', 's']]);
    });
    expect(log.at(-1)?.event).toMatchObject({ outcome: 'completed' });
  });
});

describe('spend and findExceeded', () => {
  it("names a run's limit only once it is exceeded", () => {
    const call: RunEvent = { type: 'usage', model: 'x', inputTokens: 0, outputTokens: 0, totalTokens: 5 };
    const spent = spend(NOTHING_SPENT, call);
    expect(spent).toMatchObject({ modelCalls: 1, tokens: 5, toolCalls: 0 });
    expect(findExceeded(spent, { ...DEFAULT_LIMITS, maxModelCalls: 1 })).toBeUndefined();
    expect(findExceeded(spent, { ...DEFAULT_LIMITS, maxTokens: 4 })).toMatchObject({
      code: 'RUN_LIMIT',
      message: 'This run reached its limit of 4 tokens.',
    });
  });
});

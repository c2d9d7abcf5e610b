import { describe, expect, it } from '@jest/globals';
import { firstValueFrom, filter } from 'rxjs';
import type { Agent, AgentContext } from '../agents/agent.js';
import { AppError } from '../errors.js';
import type { RecordedEvent } from '../events/recorded-event.js';
import type { RunEnd, RunEvent } from '../events/run-event.js';
import { foldRun, textOf } from '../events/run-view.js';
import { answer, ScriptedAgent } from '../testing/scripted.agent.js';
import { NOTHING_OPEN, trackOpen } from './open-items.js';
import { DEFAULT_LIMITS, exceeded, NOTHING_SPENT, spend, type RunLimits } from './run.limits.js';
import { ADA, aborted, processWith, typesOf, type Process, type ProcessOptions } from './run.testing.js';

type Play = (context: AgentContext) => Promise<void> | void;

const scripted = (play: Play) => new ScriptedAgent((_, context) => play(context));

/** Starts a run of this agent in a process of its own. */
async function startRun(agent: Agent, options: ProcessOptions = {}): Promise<Process & { runId: string }> {
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
  const { runId, logOf, executor, storage } = await startRun(scripted(play), options);
  const log = await logOf(runId);
  await executor.drain(0);
  const end = log.at(-1)?.event as RunEnd;
  expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1));
  expect(typesOf(log).filter((type) => type === 'end')).toEqual(['end']);
  const open = log.slice(0, -1).reduce((items, { event, at }) => trackOpen(items, event, at), NOTHING_OPEN);
  expect(open).toEqual(NOTHING_OPEN);
  expect((await storage.runs.get(runId))?.status).toBe(end.outcome);
  return { log, end };
}

const said = (log: readonly RecordedEvent[]) => textOf(foldRun('', log));

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

describe('the execution of a run', () => {
  it('records everything between its start and its end', async () => {
    const { log, end } = await playRun((context) => emitAll(context, answer(context, ['Hello', ' Ada'])));
    expect(typesOf(log)).toEqual([
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

  it('sums the tokens of all model calls in its end', async () => {
    const usage: RunEvent = { type: 'usage', model: 'x', inputTokens: 1, outputTokens: 2, totalTokens: 3 };
    const { end } = await playRun((context) => emitAll(context, [usage, usage]));
    expect(end.usage).toEqual({ inputTokens: 2, outputTokens: 4, totalTokens: 6 });
  });

  it('fails with the words of an AppError, and keeps what was said', async () => {
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
  ])('fails without a word of what it was, when the agent throws %s', async (_, thrown) => {
    const { end } = await playRun(() => {
      throw thrown;
    });
    expect(end).toMatchObject({
      outcome: 'failed',
      error: { code: 'RUN_FAILED', message: 'The agent failed.', retryable: false },
    });
  });

  it('fails when the agent throws before its first await', async () => {
    class Hasty extends ScriptedAgent {
      override run(): Promise<void> {
        throw new AppError('CONFIG_INVALID', 'Not set up.');
      }
    }
    const { runId, logOf, executor } = await startRun(new Hasty(() => undefined));
    expect((await logOf(runId)).at(-1)?.event).toMatchObject({ error: { code: 'CONFIG_INVALID' } });
    await executor.drain(0);
  });

  it('ends cancelled while a deaf agent goes on, keeps what was said and closes what was open', async () => {
    const reached = Promise.withResolvers<void>();
    const deaf = Promise.withResolvers<void>();
    const { runId, runs, feed, logOf, executor } = await startRun(
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
    const log = await logOf(runId);
    deaf.resolve();
    await executor.drain(0);
    expect(typesOf(log).slice(-4)).toEqual(['text-end', 'tool-end', 'step-end', 'end']);
    expect(log.at(-3)?.event).toMatchObject({ toolCallId: 'c', outcome: 'cancelled' });
    expect(log.at(-1)?.event).toMatchObject({ outcome: 'cancelled' });
    expect(log.at(-1)?.event).not.toHaveProperty('error');
    expect(said(log)).toBe('As far as ');
    expect(await logOf(runId)).toEqual(log);
  });

  it('does not wait for the grace when the agent listens', async () => {
    const { runId, runs, logOf, executor } = await startRun(scripted(({ signal }) => aborted(signal)));
    await runs.cancel(ADA, runId);
    expect((await logOf(runId)).at(-1)?.event).toMatchObject({ outcome: 'cancelled' });
    await executor.drain(0);
  });

  it('ends cancelled without asking the agent when that was wished before the claim', async () => {
    const process = processWith([scripted(() => expect('the agent').toBe('not asked'))]);
    const { id } = await process.runs.start({ principal: ADA, message: 'Hi' });
    await process.runs.cancel(ADA, id);
    await process.executor.start();
    const log = await process.logOf(id);
    expect(typesOf(log)).toEqual(['run-start', 'end']);
    expect(log.at(-1)?.event).toMatchObject({ outcome: 'cancelled' });
    await process.executor.drain(0);
  });

  it('fails when its agent is not on this server', async () => {
    const first = processWith([scripted(() => undefined)]);
    const { id } = await first.runs.start({ principal: ADA, message: 'Hi' });
    const second = processWith([], { storage: first.storage });
    await second.executor.start();
    expect((await second.logOf(id)).at(-1)?.event).toMatchObject({
      outcome: 'failed',
      error: { code: 'AGENT_UNKNOWN' },
    });
    await second.executor.drain(0);
  });

  it.each<[keyof RunLimits, Partial<RunLimits>, RunEvent]>([
    [
      'modelCalls',
      { modelCalls: 3 },
      { type: 'usage', model: 'x', inputTokens: 0, outputTokens: 0, totalTokens: 0 },
    ],
    [
      'tokens',
      { tokens: 30 },
      { type: 'usage', model: 'x', inputTokens: 1, outputTokens: 9, totalTokens: 10 },
    ],
    [
      'toolCalls',
      { toolCalls: 3 },
      { type: 'tool-start', toolCallId: 'c', toolName: 't', stepId: 's', messageId: 'm', label: 'L' },
    ],
    ['logBytes', { logBytes: 4_000 }, { type: 'custom', name: 'n', data: 'x'.repeat(1_000) }],
  ])(
    'fails with RUN_LIMIT at its limit of %s, also when the agent is deaf and never waits',
    async (_, limits, event) => {
      const { log, end } = await playRun(
        (context) => {
          for (let count = 0; count < 4; count += 1) void context.emit(event);
          return new Promise<never>(() => undefined);
        },
        { limits },
      );
      expect(end).toMatchObject({ outcome: 'failed', error: { code: 'RUN_LIMIT' } });
      expect(typesOf(log).filter((type) => type === event.type)).toHaveLength(4);
    },
  );

  it('fails with RUN_LIMIT when its time is over', async () => {
    const { end } = await playRun(({ signal }) => aborted(signal), { limits: { wallClockMs: 5 } });
    expect(end).toMatchObject({ outcome: 'failed', error: { code: 'RUN_LIMIT' } });
  });

  it('has all the time in the world when nothing limits it', async () => {
    const { end } = await playRun(() => undefined, { limits: { wallClockMs: Infinity } });
    expect(end.outcome).toBe('completed');
  });

  it('lets data that JSON cannot say harm nobody', async () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    const { end } = await playRun((context) =>
      emitAll(context, [{ type: 'custom', name: 'n', data: cycle }]),
    );
    expect(end.outcome).toBe('completed');
  });

  it('makes an agent that speaks too fast wait for the log', async () => {
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
      { limits: { logBytes: Infinity } },
    );
    expect(said(log)).toHaveLength('As far as '.length + 64 * delta.length);
    expect(waited).toBeGreaterThan(0);
  });

  it('tells every attempt which calls have begun', async () => {
    const { log } = await playRun((context) => {
      emitAll(context, HALF_A_STEP);
      expect([...context.begunCalls]).toEqual([['c', 's']]);
    });
    expect(log.at(-1)?.event).toMatchObject({ outcome: 'completed' });
  });
});

describe('what a run has spent', () => {
  it('is within the limits until one is exceeded, and then named', () => {
    const call: RunEvent = { type: 'usage', model: 'x', inputTokens: 0, outputTokens: 0, totalTokens: 5 };
    const spent = spend(NOTHING_SPENT, call);
    expect(spent).toMatchObject({ modelCalls: 1, tokens: 5, toolCalls: 0 });
    expect(exceeded(spent, { ...DEFAULT_LIMITS, modelCalls: 1 })).toBeUndefined();
    expect(exceeded(spent, { ...DEFAULT_LIMITS, tokens: 4 })).toMatchObject({
      code: 'RUN_LIMIT',
      message: 'This run reached its limit of 4 tokens.',
    });
  });
});

import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { AppError } from '../errors.js';
import type { ToolContext } from './agent-tool.js';
import { ApprovalPolicy } from './approval.policy.js';
import { ToolCallSlots, type ToolConcurrency } from './tool-call-slots.js';
import { ToolError } from './tool.error.js';
import { ToolRegistry } from './tool.registry.js';
import { SOMEBODY } from './tool.testing.js';
import { called, CALL, NotedRun, createTracking, type Declared } from './tool-tracking.testing.js';
import { ToolTrackingService } from './tool-tracking.service.js';

describe('ToolTrackingService', () => {
  it('emits the start and end of a call, by default without its input and output', async () => {
    const { answer, start, end } = await called({ execute: () => ({ degrees: 4 }) });
    expect(start).toStrictEqual({
      type: 'tool-start',
      toolCallId: 'c1',
      toolName: 'weather',
      stepId: 's1',
      messageId: 'message',
      label: 'Looking outside…',
    });
    expect(end).toStrictEqual({
      type: 'tool-end',
      toolCallId: 'c1',
      outcome: 'ok',
      durationMs: expect.any(Number),
    });
    expect(answer).toEqual({ outcome: 'ok', content: { degrees: 4 } });
  });

  it('shows the input and output that the tool exposes', async () => {
    const { start, end } = await called({
      expose: { input: ['city'], output: (output) => (output as { degrees: number }).degrees },
      execute: () => ({ degrees: 4, from: 'internal' }),
    });
    expect([start.input, end.output]).toEqual([{ city: 'Oslo' }, 4]);
  });

  it('labels a call from its validated input, or by its name when the label throws', async () => {
    const labelled = await called({ label: ({ city }) => `Looking at ${city}…`, execute: () => 1 });
    expect(labelled.start.label).toBe('Looking at Oslo…');
    const thrown = await called({
      label: () => {
        throw new Error('no label');
      },
      execute: () => 1,
    });
    expect([thrown.start.label, thrown.end.outcome]).toEqual(['Using weather…', 'ok']);
  });

  it('passes on progress as text, as an object or as yields of a generator', async () => {
    const { progress, answer } = await called({
      async *execute(_, context: ToolContext) {
        context.progress('begins');
        context.progress({ fraction: 0.5, data: { page: 2 } });
        yield { message: 'half' };
        yield 'nearly';
        return 'done';
      },
    });
    expect(progress).toStrictEqual([
      { type: 'tool-progress', toolCallId: 'c1', message: 'begins' },
      { type: 'tool-progress', toolCallId: 'c1', fraction: 0.5, data: { page: 2 } },
      { type: 'tool-progress', toolCallId: 'c1', message: 'half' },
      { type: 'tool-progress', toolCallId: 'c1', message: 'nearly' },
    ]);
    expect(answer.content).toBe('done');
  });

  it('turns any progress value into a progress event of this call', async () => {
    const yields = [{ type: 'end', toolCallId: 'other', message: 'm' }, { message: 5, fraction: 'x' }, 7];
    const { progress } = await called({
      execute: (_, context) => yields.forEach((update) => context.progress(update as unknown as string)),
    });
    expect(progress).toStrictEqual([
      { type: 'tool-progress', toolCallId: 'c1', message: 'm' },
      { type: 'tool-progress', toolCallId: 'c1' },
      { type: 'tool-progress', toolCallId: 'c1', message: '7' },
    ]);
  });

  it('emits no progress after the end of the call', async () => {
    let late: (() => void) | undefined;
    const run = new NotedRun();
    await called({ execute: (_, context) => void (late = () => context.progress('late')) }, { run });
    late?.();
    expect(run.events).toHaveLength(2);
  });

  it('ends a call with a timeout, aborts its signal and does not wait for the tool', async () => {
    let signal: AbortSignal | undefined;
    const { answer, end } = await called({
      timeoutMs: 5,
      execute: (_, context) => {
        signal = context.signal;
        return new Promise(() => undefined);
      },
    });
    expect(end).toMatchObject({ outcome: 'timeout', error: { code: 'TOOL_TIMEOUT', retryable: true } });
    expect(signal?.aborted).toBe(true);
    expect(answer.outcome).toBe('timeout');
    expect(answer.content).toContain('did not answer within 0.005 seconds');
  });

  it('ends a call as cancelled with its run and throws the reason of the abort', async () => {
    const run = new NotedRun();
    const reason = new Error('stopped');
    const call = createTracking({ execute: () => new Promise(() => undefined) }).call(CALL, run);
    while (run.events.length === 0) await Promise.resolve();
    run.abort.abort(reason);
    await expect(call).rejects.toBe(reason);
    expect(run.events.at(-1)).toMatchObject({ type: 'tool-end', outcome: 'cancelled' });
    expect(run.events.at(-1)).not.toHaveProperty('error');
  });

  it("shows a ToolError's message to people and its modelMessage to the model", async () => {
    const { answer, end } = await called({
      execute: () => {
        throw new ToolError('There is no such city.', {
          modelMessage: 'No city named X. Did you mean Y?',
          retryable: true,
        });
      },
    });
    expect(end).toMatchObject({
      outcome: 'error',
      error: { code: 'TOOL_FAILED', message: 'There is no such city.', retryable: true },
    });
    expect(answer.content).toBe("The tool 'weather' failed: No city named X. Did you mean Y?");
  });

  it('shows other errors to the model in full, and to people only that the tool failed', async () => {
    const { answer, end } = await called({
      execute: () => {
        throw new Error('connect ECONNREFUSED 10.0.0.7');
      },
    });
    expect(end).toMatchObject({
      outcome: 'error',
      error: { code: 'TOOL_FAILED', message: 'The tool failed.', retryable: false },
    });
    expect(answer).toEqual({
      outcome: 'error',
      content: "The tool 'weather' failed: connect ECONNREFUSED 10.0.0.7",
    });
  });

  it('shows the message of an AppError to people and to the model', async () => {
    const { answer, end } = await called({
      execute: async () => {
        throw new AppError('TOOL_NOT_CONFIGURED', 'Set WEATHER_KEY.');
      },
    });
    expect(end.error).toMatchObject({ code: 'TOOL_NOT_CONFIGURED', message: 'Set WEATHER_KEY.' });
    expect(answer.content).toContain('Set WEATHER_KEY.');
  });

  it('does not make a call with invalid arguments; the model gets the details, people a safe message', async () => {
    const { answer, start, end } = await called(
      { expose: { input: true }, execute: () => expect('the tool').toBe('not called') },
      { call: { args: { city: 7, secret: 'hunter2' } } },
    );
    expect(end).toMatchObject({
      outcome: 'invalid-input',
      error: { code: 'TOOL_INPUT_INVALID', message: "The arguments for 'weather' do not fit." },
    });
    expect(answer.content).toMatch(/expected string, received number[\s\S]*city/);
    expect(start).not.toHaveProperty('input');
  });

  it.each([
    ['a string', 'Oslo'],
    ['null', null],
    ['nothing', undefined],
  ])('treats %s as invalid arguments of a tool call', async (_, args) => {
    const { end } = await called({ execute: () => 1 }, { call: { args } });
    expect(end.outcome).toBe('invalid-input');
  });

  it('treats a schema that throws as invalid arguments', async () => {
    const registry = new ToolRegistry();
    const input = z.object({
      city: z.string().transform(() => {
        throw new Error('no such city');
      }),
    });
    registry.register({ name: 'weather', label: 'L', description: 'D', input, execute: () => 1 }, 'Spec');
    const run = new NotedRun();
    const answer = await new ToolTrackingService(registry).call(CALL, run);
    expect(answer).toMatchObject({
      outcome: 'invalid-input',
      content: expect.stringContaining('no such city'),
    });
    expect(run.events.map(({ type }) => type)).toEqual(['tool-start', 'tool-end']);
  });

  it('answers a call of an unknown tool with any name', async () => {
    const { answer, start, end } = await called(
      { execute: () => 1 },
      { call: { toolName: 'x'.repeat(500) } },
    );
    expect(start.toolName).toBe('x'.repeat(64));
    expect(end).toMatchObject({ outcome: 'unknown-tool', error: { code: 'TOOL_UNKNOWN' } });
    expect(answer.content).toContain('Use one of those you were given.');
  });

  it('denies a tool to a principal without its role', async () => {
    const roles = ['analyst'];
    const denied = await called({ roles, execute: () => 1 });
    expect(denied.end).toMatchObject({ outcome: 'denied', error: { code: 'TOOL_DENIED' } });
    const allowed = await called({ roles, execute: () => 1 }, { run: new NotedRun({ ...SOMEBODY, roles }) });
    expect(allowed.end.outcome).toBe('ok');
  });

  it('does not repeat a begun call with sideEffect once, unless it is of another step', async () => {
    let calls = 0;
    const once: Declared = { sideEffect: 'once', execute: () => ++calls };
    const run = new NotedRun();
    run.begunCalls.set('c1', 's1');
    const refused = await called(once, { run });
    expect(refused.end).toMatchObject({ outcome: 'error', error: { code: 'TOOL_INTERRUPTED' } });
    expect(refused.answer.content).toContain('Find out whether it took effect');
    expect(calls).toBe(0);

    const other = new NotedRun();
    other.begunCalls.set('c1', 's0');
    expect((await called(once, { run: other })).end.outcome).toBe('ok');
    expect(calls).toBe(1);
  });

  it('starts a call with sideEffect once only after its start is recorded', async () => {
    const run = new NotedRun();
    const execute = () => run.emit({ type: 'custom', name: 'effect', data: null });
    await createTracking({ sideEffect: 'once', execute }).call(CALL, run);
    expect(run.events.map((event) => ('name' in event ? event.name : event.type))).toEqual([
      'tool-start',
      'recorded',
      'effect',
      'tool-end',
    ]);
  });

  it('repeats other calls after a takeover with the same idempotency key', async () => {
    const keys: string[] = [];
    const execute = (_: unknown, { idempotencyKey }: ToolContext) => void keys.push(idempotencyKey);
    for (const sideEffect of ['none', 'idempotent'] as const) {
      const run = new NotedRun();
      await called({ sideEffect, execute }, { run });
      run.events.length = 0;
      await called({ sideEffect, execute }, { run });
    }
    expect(keys).toEqual(Array(4).fill('run:s1:c1'));
  });

  it('gives calls of different steps with the same id distinct ids, the same in every attempt', async () => {
    const run = new NotedRun();
    const ids: string[] = [];
    for (const stepId of ['s1', 's2', 's3', 's2']) {
      run.events.length = 0;
      ids.push((await called({ execute: () => 1 }, { run, call: { stepId } })).start.toolCallId);
    }
    expect(ids).toEqual(['c1', 'c1.s2', 'c1.s3', 'c1.s2']);
  });

  it('emits the events of a call made elsewhere, of which the first end counts', () => {
    const run = new NotedRun();
    const open = createTracking({ execute: () => 1 }).begin(CALL, run);
    open.progress('half');
    open.end('error');
    open.end('ok');
    expect(run.events.map((event) => ('outcome' in event ? event.outcome : event.type))).toEqual([
      'tool-start',
      'tool-progress',
      'error',
    ]);
    expect(run.events[0]).toMatchObject({ label: 'Using weather…' });
  });

  it('leaves no timer after a tool call', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    await called({ execute: () => 1 });
    expect(timers()).toBeLessThanOrEqual(before);
  });

  describe('ToolTrackingService with limited concurrency', () => {
    /** A tool whose calls end when they are told to. */
    function gated(concurrency: ToolConcurrency) {
      const ends: (() => void)[] = [];
      const registry = new ToolRegistry();
      const input = z.object({ city: z.string() });
      const execute = () => new Promise<void>((resolve) => void ends.push(resolve));
      registry.register({ name: 'weather', label: 'L', description: 'D', input, execute }, 'Spec');
      const tracking = new ToolTrackingService(
        registry,
        new ApprovalPolicy(),
        new ToolCallSlots(concurrency),
      );
      const call = (run: NotedRun, at: number, nested = false) =>
        tracking.call({ ...CALL, toolCallId: `c${at}`, nested }, run);
      return { ends, call };
    }

    const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
    const starts = (run: NotedRun) => run.events.filter(({ type }) => type === 'tool-start').length;

    it('makes tool calls of a run up to the limit, the others as these end', async () => {
      const { ends, call } = gated({ perRun: 3, perPrincipal: 10 });
      const run = new NotedRun();
      const answers = Promise.all(Array.from({ length: 8 }, (_, at) => call(run, at)));
      for (let done = 0; done < 8; done += 1) {
        await turn();
        expect(ends.length - done).toBe(Math.min(3, 8 - done));
        expect(starts(run)).toBe(ends.length);
        ends[done]!();
      }
      expect((await answers).map(({ outcome }) => outcome)).toEqual(Array(8).fill('ok'));
      expect(run.events).toHaveLength(16);
    });

    it('counts tool calls of all runs of a principal together, and other principals apart', async () => {
      const { ends, call } = gated({ perRun: 3, perPrincipal: 4 });
      const [first, second] = [new NotedRun(), Object.assign(new NotedRun(), { runId: 'another' })];
      const other = Object.assign(new NotedRun({ ...SOMEBODY, tenant: 'other' }), { runId: 'a third' });
      const calls = [first, second, other].flatMap((run) => [0, 1, 2].map((at) => call(run, at)));
      await turn();
      expect([first, second, other].map(starts)).toEqual([3, 1, 3]);
      while (ends.length > 0) {
        ends.splice(0).forEach((end) => end());
        await turn();
      }
      await Promise.all(calls);
    });

    it('rejects waiting tool calls when the run is cancelled, without events for them', async () => {
      const { call } = gated({ perRun: 1, perPrincipal: 1 });
      const run = new NotedRun();
      const calls = Promise.allSettled([0, 1, 2].map((at) => call(run, at)));
      await turn();
      run.abort.abort(new Error('cancelled'));
      expect((await calls).map(({ status }) => status)).toEqual(Array(3).fill('rejected'));
      expect(run.events.map(({ type }) => type)).toEqual(['tool-start', 'tool-end']);
    });

    it('makes a tool call inside another one that holds the last slot', async () => {
      const { ends, call } = gated({ perRun: 1, perPrincipal: 1 });
      const run = new NotedRun();
      const calls = [call(run, 0), call(run, 1, true)];
      await turn();
      expect(ends).toHaveLength(2);
      ends.forEach((end) => end());
      await Promise.all(calls);
    });
  });
});

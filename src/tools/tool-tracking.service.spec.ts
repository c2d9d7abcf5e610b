import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { AppError } from '../errors.js';
import type { ToolContext } from './agent-tool.js';
import { ToolRegistry } from './tool.registry.js';
import { SOMEBODY } from './tool.testing.js';
import { called, CALL, NotedRun, trackingOf, type Declared } from './tool-tracking.testing.js';
import { ToolTrackingService } from './tool-tracking.service.js';

describe('tool tracking', () => {
  it('announces a call and its end, and shows nothing of what was in it unless told to', async () => {
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

  it('shows what the tool exposes', async () => {
    const { start, end } = await called({
      expose: { input: ['city'], output: (output) => (output as { degrees: number }).degrees },
      execute: () => ({ degrees: 4, from: 'internal' }),
    });
    expect([start.input, end.output]).toEqual([{ city: 'Oslo' }, 4]);
  });

  it('labels a call with its validated input, and with its name when the label cannot be made', async () => {
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

  it('passes progress on: a sentence, an object, the yields of a generator', async () => {
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

  it('lets no progress become another event, whatever a tool yields', async () => {
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

  it('reports no progress after the end', async () => {
    let late: (() => void) | undefined;
    const run = new NotedRun();
    await called({ execute: (_, context) => void (late = () => context.progress('late')) }, { run });
    late?.();
    expect(run.events).toHaveLength(2);
  });

  it("ends a call in a timeout, aborts the tool's signal, and does not wait for a deaf tool", async () => {
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

  it('ends a call as cancelled when the run is, and throws its reason', async () => {
    const run = new NotedRun();
    const reason = new Error('stopped');
    const call = trackingOf({ execute: () => new Promise(() => undefined) }).call(CALL, run);
    while (run.events.length === 0) await Promise.resolve();
    run.abort.abort(reason);
    await expect(call).rejects.toBe(reason);
    expect(run.events.at(-1)).toMatchObject({ type: 'tool-end', outcome: 'cancelled' });
    expect(run.events.at(-1)).not.toHaveProperty('error');
  });

  it('tells an error to the model in full, and to people only that there was one', async () => {
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

  it('shows the words of an AppError to both', async () => {
    const { answer, end } = await called({
      execute: async () => {
        throw new AppError('TOOL_NOT_CONFIGURED', 'Set WEATHER_KEY.');
      },
    });
    expect(end.error).toMatchObject({ code: 'TOOL_NOT_CONFIGURED', message: 'Set WEATHER_KEY.' });
    expect(answer.content).toContain('Set WEATHER_KEY.');
  });

  it('calls nothing when the arguments do not fit: the model is told in full, people a safe sentence', async () => {
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
  ])('takes %s for arguments that do not fit', async (_, args) => {
    const { end } = await called({ execute: () => 1 }, { call: { args } });
    expect(end.outcome).toBe('invalid-input');
  });

  it('takes a schema that throws for arguments that do not fit', async () => {
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

  it('answers a call of a tool that does not exist, whatever it is called', async () => {
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

  it('does not make a call twice that must not be, and does make it in another step', async () => {
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

  it('begins a call that must not be made twice only when its start is durable', async () => {
    const run = new NotedRun();
    const execute = () => run.emit({ type: 'custom', name: 'effect', data: null });
    await trackingOf({ sideEffect: 'once', execute }).call(CALL, run);
    expect(run.events.map((event) => ('name' in event ? event.name : event.type))).toEqual([
      'tool-start',
      'recorded',
      'effect',
      'tool-end',
    ]);
  });

  it('makes other calls again after a takeover, with the same idempotency key', async () => {
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

  it('tells calls of different steps apart when their ids are the same, in every attempt alike', async () => {
    const run = new NotedRun();
    const ids: string[] = [];
    for (const stepId of ['s1', 's2', 's3', 's2']) {
      run.events.length = 0;
      ids.push((await called({ execute: () => 1 }, { run, call: { stepId } })).start.toolCallId);
    }
    expect(ids).toEqual(['c1', 'c1.s2', 'c1.s3', 'c1.s2']);
  });

  it('announces a call that somebody else makes, whose first end counts', () => {
    const run = new NotedRun();
    const open = trackingOf({ execute: () => 1 }).begin(CALL, run);
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

  it('leaves no timer behind', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    await called({ execute: () => 1 });
    expect(timers()).toBe(before);
  });
});

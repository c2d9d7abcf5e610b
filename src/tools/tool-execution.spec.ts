import { getEventListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import type { Tool } from './agent-tool.js';
import { executeTool } from './tool-execution.js';
import { callContext } from './tool.testing.js';

function run(execute: Tool['execute'], context = callContext()): Promise<unknown> {
  return executeTool({ execute }, {}, context);
}

const never = new Promise<never>(() => undefined);

describe('executeTool', () => {
  it("returns a tool's value, its promised value and the return value of its generator", async () => {
    expect(await run(() => 1)).toBe(1);
    expect(await run(async () => 2)).toBe(2);
    expect(
      await run(async function* () {
        yield 'working';
        return 3;
      }),
    ).toBe(3);
  });

  it('reports the yields of a generator as progress, even of a promised one', async () => {
    const context = callContext();
    async function* work(): AsyncGenerator<string, string, void> {
      yield 'one';
      yield 'two';
      return 'done';
    }
    expect(await run(async () => work(), context)).toBe('done');
    expect(context.updates).toEqual(['one', 'two']);
  });

  it('returns a stream as the result of a tool', async () => {
    const stream = new ReadableStream();
    expect(await run(() => stream)).toBe(stream);
  });

  it('rejects a call with the error of the tool, wherever it is thrown', async () => {
    const fault = new Error('no such order');
    const throws = (): never => {
      throw fault;
    };
    await expect(run(throws)).rejects.toBe(fault);
    await expect(run(async () => throws())).rejects.toBe(fault);
    await expect(
      run(async function* () {
        yield 'working';
        throw fault;
      }),
    ).rejects.toBe(fault);
  });

  it('does not start a tool call that is already cancelled', async () => {
    let started = false;
    const context = callContext({ signal: AbortSignal.abort('cancelled') });
    await expect(run(() => (started = true), context)).rejects.toBe('cancelled');
    expect(started).toBe(false);
  });

  it('rejects a cancelled call at once, even if the tool ignores its signal', async () => {
    const controller = new AbortController();
    const call = run(() => never, callContext({ signal: controller.signal }));
    controller.abort('cancelled');
    await expect(call).rejects.toBe('cancelled');
  });

  it('lets a cancelled generator clean up and takes no more progress from it', async () => {
    const controller = new AbortController();
    const waiting = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const cleaned = Promise.withResolvers<void>();
    const context = callContext({ signal: controller.signal });
    const call = run(async function* () {
      try {
        yield 'before';
        waiting.resolve();
        await release.promise;
        yield 'after';
        yield 'never';
      } finally {
        cleaned.resolve();
      }
    }, context);
    await waiting.promise;
    controller.abort('cancelled');
    await expect(call).rejects.toBe('cancelled');
    release.resolve();
    await cleaned.promise;
    expect(context.updates).toEqual(['before']);
  });

  it('ignores an error that the tool throws after the cancel', async () => {
    const controller = new AbortController();
    const late = Promise.withResolvers<never>();
    const call = run(() => late.promise, callContext({ signal: controller.signal }));
    controller.abort('cancelled');
    await expect(call).rejects.toBe('cancelled');
    // jest.setup turns a rejection that nobody handles into a failure.
    late.reject(new Error('too late'));
    await new Promise(setImmediate);
  });

  it('leaves no listener on the signal of a tool call', async () => {
    const { signal } = new AbortController();
    await run(() => 1, callContext({ signal }));
    await run(async function* () {
      yield 'working';
      return 1;
    }, callContext({ signal }));
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

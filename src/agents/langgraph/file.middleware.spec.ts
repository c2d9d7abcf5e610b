import { describe, expect, it } from '@jest/globals';
import { HumanMessage, type BaseMessage } from '@langchain/core/messages';
import { ACTIVE_RUN } from './active-run.js';
import { withFiles } from './file-blocks.js';
import { fileMiddleware } from './file.middleware.js';

const MIB = 1024 * 1024;

type Handler = (request: { readonly messages: readonly BaseMessage[] }) => Promise<unknown>;

/** Makes a model call in a run, with a file of so many bytes. */
function callModel(bytes: number, handler: Handler, signal = new AbortController().signal): Promise<unknown> {
  const readFile = async () => ({ mediaType: 'text/plain', data: new Uint8Array(1) });
  const file = { mediaType: 'text/plain', fileId: 'a', name: 'a.txt', bytes };
  const messages = [new HumanMessage({ content: withFiles('hi', bytes > 0 ? [file] : []) })];
  const runtime = { configurable: { [ACTIVE_RUN]: { run: { readFile, signal } } } };
  const { wrapModelCall } = fileMiddleware(['*/*']);
  return Promise.resolve(wrapModelCall?.({ model: {}, messages, runtime } as never, handler as never));
}

/** A model call that ends when it is told to. */
function holdCall(bytes: number, signal?: AbortSignal) {
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const { promise: held, resolve: finish } = Promise.withResolvers<void>();
  const state = { hasBegun: false };
  const ended = callModel(
    bytes,
    async () => {
      state.hasBegun = true;
      begin();
      await held;
      return 'answer';
    },
    signal,
  );
  return { state, begun, ended, finish };
}

describe('fileMiddleware', () => {
  it('lets model calls wait that would have more than 128 MiB of files in the process', async () => {
    const calls = Array.from({ length: 5 }, () => holdCall(24 * MIB));
    await Promise.all(calls.map(({ begun }) => begun));
    const leaving = new AbortController();
    const left = holdCall(20 * MIB, leaving.signal);
    const waiting = holdCall(24 * MIB);
    // One without files waits for none.
    expect(await callModel(0, async () => 'plain')).toBe('plain');
    leaving.abort(new Error('cancelled'));
    await expect(left.ended).rejects.toThrow('cancelled');
    expect([left.state.hasBegun, waiting.state.hasBegun]).toEqual([false, false]);
    calls[0]?.finish();
    await waiting.begun;
    for (const { finish } of [...calls, waiting]) finish();
    expect(await waiting.ended).toBe('answer');
    await Promise.all(calls.map(({ ended }) => ended));
  });

  it('gives the bytes back when a call fails', async () => {
    for (let n = 0; n < 8; n += 1)
      await expect(callModel(24 * MIB, async () => Promise.reject(new Error('no answer')))).rejects.toThrow(
        'no answer',
      );
  });
});

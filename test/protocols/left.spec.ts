import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import type { Request, Response } from 'express';
import { protocolServers } from './protocol-servers.js';

const QUESTION = { messages: [{ role: 'user', content: 'Hi' }] };
const LANGGRAPH = { assistant_id: 'scripted', input: { messages: [{ type: 'human', content: 'Hi' }] } };

const STARTS: readonly [name: string, path: string, body: object][] = [
  ['a chat completion', 'openai/v1/chat/completions', { model: 'scripted', ...QUESTION }],
  [
    'a streamed chat completion',
    'openai/v1/chat/completions',
    { model: 'scripted', stream: true, ...QUESTION },
  ],
  ['a response', 'openai/v1/responses', { model: 'scripted', input: 'Hi' }],
  ['a streamed response', 'openai/v1/responses', { model: 'scripted', input: 'Hi', stream: true }],
  ['a LangGraph run', 'langgraph/runs/stream', { ...LANGGRAPH, on_disconnect: 'cancel' }],
];

describe('client that leaves before its run is stored', () => {
  const start = protocolServers();

  it.each(STARTS)(
    'cancels the run of a client that leaves before it is stored: %s',
    async (_, path, body) => {
      const asked = Promise.withResolvers<void>();
      const gone = Promise.withResolvers<void>();
      const stopped = Promise.withResolvers<string>();
      const server = await start(
        async (_input, { signal }) => {
          if (!signal.aborted) await once(signal, 'abort');
        },
        {
          hooks: {
            beforeRun: async () => {
              asked.resolve();
              await gone.promise;
            },
            afterRun: (_run, { outcome }) => stopped.resolve(outcome),
          },
          prepare: (app) =>
            app.use((_request: Request, response: Response, next: () => void) => {
              response.once('close', () => gone.resolve());
              next();
            }),
        },
      );
      const leaving = new AbortController();
      const answer = fetch(`${server.origin}/protocols/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: leaving.signal,
      });
      await asked.promise;
      leaving.abort();
      await expect(answer).rejects.toThrow();
      expect(await stopped.promise).toBe('cancelled');
    },
  );
});

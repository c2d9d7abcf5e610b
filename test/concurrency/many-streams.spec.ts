import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { createAnswer } from '../../src/testing/scripted.agent.js';
import { chatServers, type Play } from '../support/chat.server.js';
import type { EventStream } from '../support/event-stream.js';
import { SHARED_KINDS, testStorages } from '../support/storages.js';
import { postJson } from '../support/post-json.js';

const WORDS = Array.from({ length: 100 }, (_, index) => `word${index} `);
const TEXT = WORDS.join('');

/** Says a hundred words, a few milliseconds apart, as a model does. */
const speak: Play = async (_input, context) => {
  for (const event of createAnswer(context, WORDS)) {
    await context.emit(event);
    if (event.type === 'text-delta') await sleep(4);
  }
};

/** A request that starts a run and streams it, and what its stream has to say at its end. */
interface Dialect {
  readonly name: string;
  readonly path: string;
  readonly body: () => unknown;
  /** The words of the stream. */
  readonly words: RegExp;
  readonly last: RegExp;
}

const user = { role: 'user', content: 'Go.' };
const DIALECTS: readonly Dialect[] = [
  {
    name: 'the AI SDK',
    path: 'ai-sdk/chat',
    body: () => ({
      id: randomUUID(),
      message: { role: 'user', parts: [{ type: 'text', text: 'Go.' }] },
    }),
    words: /"type":"text-delta","id":"[^"]*","delta":"([^"]*)"/g,
    last: /data: \[DONE\]\n\n$/,
  },
  {
    name: 'AG-UI',
    path: 'ag-ui',
    body: () => ({
      threadId: randomUUID(),
      runId: randomUUID(),
      messages: [{ id: 'm', ...user }],
      state: {},
      tools: [],
      context: [],
      forwardedProps: {},
    }),
    words: /"type":"TEXT_MESSAGE_CONTENT"[^\n]*"delta":"([^"]*)"/g,
    last: /"type":"RUN_FINISHED"[^\n]*\n\n$/,
  },
  {
    name: 'Chat Completions',
    path: 'openai/v1/chat/completions',
    body: () => ({ model: 'scripted', messages: [user], stream: true }),
    words: /"delta":\{[^}]*"content":"([^"]*)"/g,
    last: /data: \[DONE\]\n\n$/,
  },
  {
    name: 'Responses',
    path: 'openai/v1/responses',
    body: () => ({ model: 'scripted', input: 'Go.', stream: true }),
    words: /"type":"response.output_text.delta"[^\n]*"delta":"([^"]*)"/g,
    last: /"type":"response.completed"[^\n]*\n\n$/,
  },
  {
    name: "LangGraph's SDK",
    path: 'langgraph/runs/stream',
    body: () => ({
      assistant_id: 'scripted',
      input: { messages: [user] },
      stream_mode: ['messages-tuple', 'values'],
    }),
    words:
      /"content":"([^"]*)"[^\n]*"type":"AIMessageChunk"|"type":"AIMessageChunk"[^\n]*?"content":"([^"]*)"/g,
    last: /event: values\n[^\n]*\n\n$/,
  },
  {
    name: 'A2A',
    path: 'a2a',
    body: () => ({
      jsonrpc: '2.0',
      id: 1,
      method: 'SendStreamingMessage',
      params: { message: { messageId: randomUUID(), role: 'ROLE_USER', parts: [{ text: 'Go.' }] } },
    }),
    words: /"artifactUpdate"[^\n]*?"parts":\[\{"text":"([^"]*)"/g,
    last: /TASK_STATE_COMPLETED[^\n]*\n\n$/,
  },
];

const start = chatServers();
const storages = testStorages();

/** Summarises each stream in as few words as tell a whole one from another. */
function seen(streams: readonly EventStream[]) {
  return streams.map((stream) => ({
    how: stream.ended,
    last: stream.events.at(-1)?.event,
    isWhole: stream.text === TEXT,
  }));
}

const WHOLE = { how: 'end', last: 'end', isWhole: true };

describe.each(SHARED_KINDS)('concurrent streams on %s', (kind) => {
  it.each([50, 200])(
    'gives each of %i streams that begin at once the whole text and its end',
    async (count) => {
      const storage = await storages.make(kind);
      const server = await start({ storage, maxConcurrentRuns: count, play: speak });
      const streams = await Promise.all(Array.from({ length: count }, () => server.ask()));
      await Promise.all(streams.map((stream) => stream.closed()));
      expect(seen(streams)).toEqual(streams.map(() => WHOLE));
    },
  );

  it.each(DIALECTS)(
    'gives each of 50 streams of $name that begin at once the whole text and its end',
    async ({ path, body, words, last }) => {
      const storage = await storages.make(kind);
      const server = await start({ storage, maxConcurrentRuns: 50, play: speak, protocols: {} });
      const url = `${server.origin}/protocols/${path}`;
      const ask = async () => {
        const response = await postJson(url, body());
        return { status: response.status, raw: await response.text() };
      };
      const streams = await Promise.all(Array.from({ length: 50 }, ask));
      const shown = streams.map(({ raw, status }) => ({
        status,
        isWhole: [...raw.matchAll(words)].map(([, one, other]) => one ?? other).join('') === TEXT,
        hasEnd: last.test(raw),
      }));
      const whole = { status: 200, isWhole: true, hasEnd: true };
      expect(shown.filter((each) => JSON.stringify(each) !== JSON.stringify(whole))).toEqual([]);
    },
  );
});

describe('concurrent streams across two processes on postgres', () => {
  it('gives each of 50 readers the whole text and its end when another process executes their runs', async () => {
    const storage = await storages.make('postgres');
    const working = await start({ storage, maxConcurrentRuns: 50, play: speak });
    const reading = await start({ storage: storages.sibling(storage), worker: false, play: speak });
    const runs = await Promise.all(Array.from({ length: 50 }, () => working.startRun()));
    const streams = await Promise.all(runs.map(({ runId }) => reading.watch(runId)));
    await Promise.all(streams.map((stream) => stream.closed()));
    expect(seen(streams)).toEqual(streams.map(() => WHOLE));
  });

  it('gives each of 50 requesters the whole text and its end when their process has no worker', async () => {
    const storage = await storages.make('postgres');
    await start({ storage, maxConcurrentRuns: 50, play: speak });
    const asking = await start({ storage: storages.sibling(storage), worker: false, play: speak });
    const streams = await Promise.all(Array.from({ length: 50 }, () => asking.ask()));
    await Promise.all(streams.map((stream) => stream.closed()));
    expect(seen(streams)).toEqual(streams.map(() => WHOLE));
  });
});

import { describe, expect, it } from '@jest/globals';
import type { UIMessage } from 'ai';
import type { AuthOptions } from '../../src/auth/auth.options.js';
import { AppError } from '../../src/errors.js';
import { answer } from '../../src/testing/scripted.agent.js';
import { chatServers, gate, type ChatServer, type Play } from '../support/chat.server.js';
import { sayOneByOne } from '../support/plays.js';
import { until } from '../support/until.js';
import { chatOf, plain, SDKS, textOf, toolsOf } from './ai-sdk.chat.js';
import { demoServers } from './demo.server.js';

type Fetch = typeof fetch;

const rootOf = (server: ChatServer) => new URL(server.url).origin;
/** The bearer token names the user. */
const BEARER_IS_USER: AuthOptions = {
  kind: 'host',
  principalOf: ({ headers }) => {
    const userId = headers.authorization?.replace('Bearer ', '');
    return userId === undefined ? undefined : { userId, tenant: 'here', roles: [] };
  },
};

/** A fetch whose first response breaks after so many frames. */
function cutAfter(frames: number): Fetch {
  let requests = 0;
  return async (url, init) => {
    const response = await fetch(url, init);
    if (requests++ > 0 || !response.body) return response;
    let seen = '';
    const body = response.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          seen += Buffer.from(chunk).toString();
          controller.enqueue(chunk);
          if (seen.split('\n\n').length > frames) controller.error(new TypeError('network error'));
        },
      }),
    );
    return new Response(body, response);
  };
}

describe.each(SDKS)('the AI SDK, version %s,', (version, sdk) => {
  const start = chatServers();
  const startDemo = demoServers();
  const newChat = chatOf(sdk);
  const serve = (play: Play, options = {}) => start({ play, protocols: {}, ...options });

  it('has a conversation with tools, and a second turn in the same thread', async () => {
    const url = await startDemo();
    const chat = newChat({ url });
    await chat.sendMessage({ text: 'What is 17 times 23?' });
    expect(chat.errors).toEqual([]);
    expect(chat.status).toBe('ready');
    expect(toolsOf(chat.lastMessage)).toMatchObject([
      { toolName: 'calculator', state: 'output-available', output: { result: '391' } },
    ]);
    expect(textOf(chat.lastMessage)).toContain('391');

    await chat.sendMessage({ text: 'What is the capital of Austria?' });
    expect(chat.errors).toEqual([]);
    expect(chat.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user', 'assistant']);
    expect(textOf(chat.lastMessage)).toContain('Vienna');

    const thread = await (await fetch(`${url}/api/chat/threads/chat-1`)).json();
    expect(thread.messages.map(({ id }: { id: string }) => id)).toEqual(
      expect.arrayContaining([chat.messages[1]?.id, chat.messages[3]?.id]),
    );
  });

  it('rebuilds the same message after a cut, and in a new chat, while the run goes on', async () => {
    const rest = gate();
    const server = await serve(async (_, context) => {
      await sayOneByOne(context, answer(context, ['Half ', 'of ', 'it, '], 'first'));
      await rest.opened;
      await sayOneByOne(context, answer(context, ['and ', 'the ', 'rest.'], 'last'));
    });
    const chat = newChat({ url: rootOf(server), fetch: cutAfter(5) });
    await chat.sendMessage({ text: 'hello' });
    expect(chat.status).toBe('error');
    expect(textOf(chat.lastMessage)).toContain('Half');

    const [user] = chat.messages;
    const reloaded = newChat({ url: rootOf(server), messages: [user!] });
    const resumed = Promise.all([chat.resumeStream(), reloaded.resumeStream()]);
    rest.open();
    await resumed;
    for (const { status, lastMessage, messages } of [chat, reloaded]) {
      expect(status).toBe('ready');
      expect(messages).toHaveLength(2);
      expect(textOf(lastMessage)).toBe('Half of it, and the rest.');
    }
    expect(plain(reloaded.lastMessage)).toEqual(plain(chat.lastMessage));
  });

  it('sees nothing to resume once the run has ended', async () => {
    const server = await serve((_, context) => sayOneByOne(context, answer(context, ['Done.'])));
    const chat = newChat({ url: rootOf(server) });
    await chat.sendMessage({ text: 'hello' });
    const before = plain(chat.messages);
    await chat.resumeStream();
    expect(plain(chat.messages)).toEqual(before);
    expect(chat.status).toBe('ready');
    const response = await fetch(`${rootOf(server)}/protocols/ai-sdk/chat/chat-1/stream`);
    expect(response.status).toBe(204);
  });

  it('begins with what was said, and misses no answer that ends before it resumes', async () => {
    const rest = gate();
    const server = await serve(async ({ message }, context) => {
      if (message === 'and?') await rest.opened;
      await sayOneByOne(context, answer(context, [`${message} `, 'done.']));
    });
    const url = rootOf(server);
    const first = newChat({ url });
    await first.sendMessage({ text: 'hello' });
    const asked = first.sendMessage({ text: 'and?' });
    await until(() => server.readers === 1);

    const route = `${url}/protocols/ai-sdk/chat/chat-1`;
    const history = (await (await fetch(`${route}/messages`)).json()) as UIMessage[];
    expect(history.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
    expect(history[1]?.id).toBe(first.messages[1]?.id);
    expect(history.map(textOf)).toEqual(['hello', 'hello done.', 'and?']);

    rest.open();
    await asked;
    const whole = (await (await fetch(`${route}/messages`)).json()) as UIMessage<{ runId: string }>[];
    expect(whole.map(textOf)).toEqual(['hello', 'hello done.', 'and?', 'and? done.']);
    expect(whole.at(-1)?.id).toBe(first.lastMessage?.id);

    // The run has ended between reading the history and resuming.
    const after = (runId = ''): Fetch => {
      return (address, init) => fetch(`${address as string}?after=${runId}`, init);
    };
    const behind = newChat({ url, messages: history, fetch: after() });
    await behind.resumeStream();
    expect(behind.messages.map(textOf)).toEqual(whole.map(textOf));
    const { status } = await after(whole.at(-1)!.metadata!.runId)(`${route}/stream`);
    expect(status).toBe(204);
  });

  it('leaves the run alone when it stops reading, and stops it by the stop route', async () => {
    const watched = gate();
    const aborted = gate();
    const server = await serve(async (_, context) => {
      context.signal.addEventListener('abort', () => aborted.open());
      const [stepStart, textStart, ...words] = answer(context, ['Some', ' words']);
      await sayOneByOne(context, [stepStart!, textStart!, ...words.slice(0, 2)]);
      watched.open();
      await aborted.opened;
    });
    const chat = newChat({ url: rootOf(server) });
    const sent = chat.sendMessage({ text: 'hello' });
    await watched.opened;
    await chat.stop();
    await sent;
    await until(() => server.readers === 0);

    const watching = gate();
    const noticed: Fetch = async (url, init) => {
      const response = await fetch(url, init);
      watching.open();
      return response;
    };
    const second = newChat({ url: rootOf(server), fetch: noticed });
    const resumed = second.resumeStream();
    await watching.opened;
    const stopped = await fetch(`${rootOf(server)}/protocols/ai-sdk/chat/chat-1/stop`, { method: 'POST' });
    expect(stopped.status).toBe(204);
    await aborted.opened;
    await resumed;
    expect(second.status).toBe('ready');
    expect(textOf(second.lastMessage)).toBe('Some words');
  });

  it('sees nothing of what a retry has taken back', async () => {
    const rest = gate();
    const server = await serve(async (_, context) => {
      const { messageId, attempt } = context;
      const step = { stepId: 'step', name: 'answer', attempt } as const;
      await sayOneByOne(context, [
        ...answer(context, ['First, '], 'first'),
        { type: 'step-start', ...step },
        { type: 'text-start', partId: 'broken', messageId, stepId: 'step' },
        { type: 'text-delta', partId: 'broken', delta: 'a mistake' },
        { type: 'step-reset', stepId: 'step', attempt, reason: 'retry' },
        { type: 'step-start', ...step },
        { type: 'text-start', partId: 'again', messageId, stepId: 'step' },
        { type: 'text-delta', partId: 'again', delta: 'then ' },
      ]);
      await rest.opened;
      await sayOneByOne(context, [
        { type: 'text-delta', partId: 'again', delta: 'last.' },
        { type: 'text-end', partId: 'again' },
        { type: 'step-end', ...step },
      ]);
    });
    const chat = newChat({ url: rootOf(server) });
    const sent = chat.sendMessage({ text: 'hello' });
    // Version 6 does not know `reset-step`, takes it for an error, and gets over it by resuming.
    const broken = version === '6';
    await until(() => (broken ? chat.status === 'error' : textOf(chat.lastMessage).endsWith('then ')));
    const resumed = broken ? sent.then(() => chat.resumeStream()) : sent;
    await until(() => textOf(chat.lastMessage) === 'First, then ');
    rest.open();
    await resumed;
    expect(chat.status).toBe('ready');
    expect(textOf(chat.lastMessage)).toBe('First, then last.');
  });

  it('shows a failed run as an error, with the words that were meant for people', async () => {
    const server = await serve(() => {
      throw new AppError('MODEL_OVERLOADED', 'The model is busy. Try again in a minute.');
    });
    const chat = newChat({ url: rootOf(server) });
    await chat.sendMessage({ text: 'hello' });
    expect(chat.status).toBe('error');
    expect(chat.error?.message).toBe('The model is busy. Try again in a minute.');
  });

  it('is told by the server that ends in the middle of a run that this was not the end', async () => {
    const said = gate();
    const server = await serve(async (_, context) => {
      await sayOneByOne(context, answer(context, ['So far']));
      said.open();
      await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
    });
    const chat = newChat({ url: rootOf(server) });
    const sent = chat.sendMessage({ text: 'hello' });
    await said.opened;
    await server.close();
    await sent;
    expect(chat.status).toBe('error');
  });

  it('without credentials gets the 401 before any stream', async () => {
    const server = await serve(() => {}, { auth: BEARER_IS_USER });
    const chat = newChat({ url: rootOf(server) });
    await chat.sendMessage({ text: 'hello' });
    expect(chat.status).toBe('error');
    expect(chat.error?.message).toContain('UNAUTHENTICATED');
    await chat.resumeStream();
    expect(chat.error?.message).toContain('UNAUTHENTICATED');
  });

  it("cannot ask in, watch or stop somebody else's chat", async () => {
    const rest = gate();
    const server = await serve(() => rest.opened, { auth: BEARER_IS_USER });
    const url = rootOf(server);
    const own = newChat({ url, headers: { authorization: 'Bearer ann' } });
    const sent = own.sendMessage({ text: 'hello' });
    await until(() => server.readers === 1);

    const headers = { authorization: 'Bearer bob' };
    const other = newChat({ url, headers });
    await other.sendMessage({ text: 'hello' });
    expect(other.error?.message).toContain('NOT_FOUND');
    const route = `${url}/protocols/ai-sdk/chat/chat-1`;
    expect((await fetch(`${route}/stream`, { headers })).status).toBe(204);
    expect((await fetch(`${route}/stream?after=`, { headers })).status).toBe(204);
    expect(await (await fetch(`${route}/messages`, { headers })).json()).toEqual([]);
    expect((await fetch(`${route}/stop`, { method: 'POST', headers })).status).toBe(404);

    rest.open();
    await sent;
    expect(own.status).toBe('ready');
  });
});

describe('the AI SDK routes', () => {
  const start = chatServers();
  const serve = (play: Play = () => {}) => start({ play, protocols: {} });
  const ask = (server: ChatServer, body: unknown) =>
    fetch(`${rootOf(server)}/protocols/ai-sdk/chat`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const user = (...parts: unknown[]) => ({ id: 'm', role: 'user', parts });

  it('frame as the specification says: LF, no names, [DONE] last', async () => {
    const server = await serve((_, context) => sayOneByOne(context, answer(context, ['Hi'])));
    const response = await ask(server, { id: 'c', message: user({ type: 'text', text: 'hello' }) });
    expect(response.headers.get('x-vercel-ai-ui-message-stream')).toBe('v1');
    const body = await response.text();
    expect(body).not.toMatch(/\r|^event:/m);
    expect(body).toMatch(/\n\nid: \w+\.1\.\d+\ndata: \[DONE\]\n\n$/);
  });

  it.each([
    ['no chat', { messages: [user({ type: 'text', text: 'hi' })] }],
    ['no message', { id: 'c' }],
    ['an empty message', { id: 'c', message: user({ type: 'text', text: ' ' }) }],
    ['a file', { id: 'c', message: user({ type: 'file', url: 'data:,x', mediaType: 'text/plain' }) }],
    ['an answer in the place of a question', { id: 'c', message: { role: 'assistant', parts: [] } }],
    ['a chat id that is no id', { id: '../c', message: user({ type: 'text', text: 'hi' }) }],
  ])('refuse %s', async (_what, body) => {
    const response = await ask(await serve(), body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'REQUEST_INVALID' });
  });

  it('refuse a second question while the first is being answered', async () => {
    const done = gate();
    const server = await serve(() => done.opened);
    const body = { id: 'c', message: user({ type: 'text', text: 'hi' }) };
    const first = await ask(server, body);
    const second = await ask(server, body);
    expect(second.status).toBe(409);
    done.open();
    expect(await first.text()).toContain('[DONE]');
  });

  it('stop nothing in a chat of nobody', async () => {
    const url = `${rootOf(await serve())}/protocols/ai-sdk/chat/nowhere`;
    expect((await fetch(`${url}/stop`, { method: 'POST' })).status).toBe(404);
    expect((await fetch(`${url}/stream`)).status).toBe(204);
  });
});

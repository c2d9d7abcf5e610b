import { describe, expect, it } from '@jest/globals';
import { RemoteGraph } from '@langchain/langgraph/remote';
import { Client, type StreamMode } from '@langchain/langgraph-sdk';
import { StreamOrchestrator } from '@langchain/langgraph-sdk/ui';
import { lastValueFrom } from 'rxjs';
import { RunFeed } from '../../src/index.js';
import { collected } from '../support/collected.js';
import { faultProxies } from '../support/fault-proxies.js';
import { everything, nineWords, overloaded, twoPart } from '../support/plays.js';
import { demoServers } from './demo.server.js';
import { protocolServers } from './protocol-servers.js';

const start = protocolServers();
const startDemo = demoServers();
const startProxy = faultProxies();

const connectTo = (origin: string, defaultHeaders: Record<string, string> = {}) =>
  new Client({
    apiUrl: `${origin}/protocols/langgraph`,
    apiKey: null,
    defaultHeaders,
    callerOptions: { maxRetries: 0 },
  });

interface Chunk {
  readonly id?: string;
  readonly event: string;
  readonly data: unknown;
}

const ALL: StreamMode[] = ['values', 'updates', 'messages-tuple', 'custom', 'tools'];
const human = (content: string) => ({ messages: [{ type: 'human', content }] });

const all = (stream: AsyncIterable<unknown>) => collected(stream as AsyncIterable<Chunk>);

/** Lists the texts of a stream's last state. */
function listTexts(chunks: readonly Chunk[]): string[] {
  const values = chunks.findLast(({ event }) => event === 'values')?.data as { messages: Message[] };
  return values.messages.map(({ type, content }) => `${type}: ${content}`);
}

interface Message {
  readonly type: string;
  readonly content: string;
}

/** Joins the pieces of messages. */
function readText(chunks: readonly Chunk[]): string {
  return chunks
    .filter(({ event }) => event === 'messages')
    .map(({ data }) => (data as [Message])[0])
    .map(({ type, content }) => (type === 'AIMessageChunk' ? content : ''))
    .join('');
}

describe("LangGraph's client.runs", () => {
  it("calls a tool, sends a second message, and reads the thread's state and history", async () => {
    const client = connectTo(await startDemo());
    const { thread_id } = await client.threads.create({ metadata: { from: 'the test' } });
    let created: unknown;
    const first = await all(
      client.runs.stream(thread_id, 'assistant', {
        input: human('What is 6 times 7?'),
        streamMode: ALL,
        onRunCreated: (run) => (created = run),
      }),
    );
    expect(first[0]).toMatchObject({ event: 'metadata', data: { thread_id } });
    expect(first[0]!.data).toMatchObject(created as object);
    expect(listTexts(first).map((text) => text.split(':')[0])).toEqual(['human', 'ai', 'tool', 'ai']);
    expect(listTexts(first).at(-1)).toContain('42');
    expect(first.filter(({ event }) => event === 'tools').map(({ data }) => data)).toMatchObject([
      { event: 'on_tool_start', name: 'calculator' },
      { event: 'on_tool_end', name: 'calculator' },
    ]);

    const input = human('Which countries border Austria?');
    const second = await all(client.runs.stream(thread_id, 'assistant', { input }));
    expect([...new Set(second.map(({ event }) => event))]).toEqual(['metadata', 'values']);
    expect(listTexts(second).slice(0, 4)).toEqual(listTexts(first));
    expect(listTexts(second).at(-1)).toContain('Italy');

    const { values } = await client.threads.getState<{ messages: Message[] }>(thread_id);
    expect(values.messages.map(({ type, content }) => `${type}: ${content}`)).toEqual(listTexts(second));
    const history = await client.threads.getHistory(thread_id);
    expect(history.map((state) => (state.values as { messages: Message[] }).messages.length)).toEqual([
      8, 5, 4, 1,
    ]);
    expect(history[0]!.parent_checkpoint).toEqual(history[1]!.checkpoint);
    const [older] = await client.threads.getHistory(thread_id, {
      limit: 1,
      before: { configurable: history[0]!.checkpoint },
    });
    expect(older).toEqual(history[1]);
    const { checkpoint_id = '' } = history[1]!.checkpoint;
    expect(await client.threads.getState(thread_id, checkpoint_id!)).toEqual(history[1]);
    await expect(client.threads.getState(thread_id, 'none')).rejects.toThrow('404');
    expect(await client.threads.get(thread_id)).toMatchObject({ thread_id, status: 'idle', values });
  });

  it('reconnects by itself after a cut, and repeats no text', async () => {
    const { play, onward } = twoPart();
    const server = await start(play);
    const proxy = await startProxy(server);
    const client = connectTo(proxy.origin);
    const stream = client.runs.stream('thread', 'scripted', {
      ifNotExists: 'create',
      input: human('Go.'),
      streamMode: ['messages-tuple', 'values'],
    });
    const chunks: Chunk[] = [];
    let isCut = false;
    for await (const chunk of stream) {
      chunks.push(chunk);
      // Cut once its first half has arrived; what comes after it comes over another connection.
      if (isCut || !readText(chunks).includes('Half')) continue;
      isCut = true;
      proxy.drop('reset');
      onward.open();
    }
    expect(readText(chunks)).toBe('Half and half.');
    expect(listTexts(chunks)).toEqual(['human: Go.', 'ai: Half and half.']);
    expect(chunks.filter(({ event }) => event === 'metadata')).toHaveLength(1);
    expect(proxy.connections).toBeGreaterThan(1);
  });

  it('joins a run from the start, after any event, and as a second viewer while it is in progress', async () => {
    const { play, middle, onward } = twoPart();
    const client = connectTo((await start(play)).origin);
    const { run_id } = await client.runs.create('thread', 'scripted', {
      ifNotExists: 'create',
      input: human('Go.'),
    });
    await middle.opened;
    expect(await client.runs.get('thread', run_id)).toMatchObject({ run_id, status: 'running' });
    expect(await client.threads.get('thread')).toMatchObject({ status: 'busy' });
    const viewers = [1, 2].map(() => all(client.runs.joinStream('thread', run_id, { streamMode: ALL })));
    onward.open();
    const [whole, other] = await Promise.all(viewers);
    expect(other).toEqual(whole);
    expect(readText(whole!)).toBe('Half and half.');
    expect(await all(client.runs.joinStream(null, run_id, { streamMode: ALL }))).toEqual(whole);

    for (const [index, { id = '' }] of whole!.entries()) {
      const rest = await all(client.runs.joinStream('thread', run_id, { streamMode: ALL, lastEventId: id }));
      expect(rest).toEqual(whole!.slice(whole!.length - rest.length));
      const seen = [...whole!.slice(0, index + 1), ...rest];
      expect([readText(seen), listTexts(seen)]).toEqual([readText(whole!), listTexts(whole!)]);
    }
    const again = await all(client.runs.joinStream('thread', run_id, { streamMode: ALL, lastEventId: '-1' }));
    expect(again).toEqual(whole);
  });

  it('reads the same events again when it joins an ended run', async () => {
    const client = connectTo((await start(everything)).origin);
    const first = await all(
      client.runs.stream('thread', 'scripted', {
        ifNotExists: 'create',
        input: human('Go.'),
        streamMode: ALL,
      }),
    );
    const { run_id } = first[0]!.data as { run_id: string };
    expect(await all(client.runs.joinStream('thread', run_id, { streamMode: ALL }))).toEqual(first);
    expect(await all(client.runs.joinStream('thread', run_id))).toEqual(first);
    expect(await client.runs.list('thread')).toMatchObject([{ run_id, status: 'success' }]);
    expect(await client.runs.list('thread', { status: 'error' })).toEqual([]);
    expect(await client.runs.list('thread', { offset: 1 })).toEqual([]);
  });

  it('cancels a run and keeps the partial text', async () => {
    const { play, middle } = twoPart();
    const client = connectTo((await start(play)).origin);
    const seen = all(
      client.runs.stream('thread', 'scripted', { ifNotExists: 'create', input: human('Go.') }),
    );
    await middle.opened;
    const [{ run_id } = { run_id: '' }] = await client.runs.list('thread');
    await client.runs.cancel('thread', run_id, true);
    expect(await client.runs.get('thread', run_id)).toMatchObject({ status: 'interrupted' });
    const chunks = await seen;
    expect(chunks.at(-1)).toMatchObject({ event: 'values' });
    expect(listTexts(chunks)).toEqual(['human: Go.', 'ai: Half ']);
    await expect(client.runs.cancel('thread', run_id, false, 'rollback')).rejects.toThrow('400');
  });

  it('cancels a run by leaving when it started the run with onDisconnect: cancel', async () => {
    const { play, middle } = twoPart();
    const client = connectTo((await start(play)).origin);
    const leaving = new AbortController();
    const seen = all(
      client.runs.stream('thread', 'scripted', {
        ifNotExists: 'create',
        input: human('Go.'),
        onDisconnect: 'cancel',
        signal: leaving.signal,
      }),
    );
    await middle.opened;
    const [{ run_id } = { run_id: '' }] = await client.runs.list('thread');
    const viewer = all(client.runs.joinStream('thread', run_id));
    leaving.abort();
    await seen.catch(() => undefined);
    expect(listTexts(await viewer)).toEqual(['human: Go.', 'ai: Half ']);
    expect(await client.runs.get('thread', run_id)).toMatchObject({ status: 'interrupted' });
  });

  it('keeps a run with onDisconnect: cancel going when the server drains its streams', async () => {
    const { play, middle, onward } = twoPart();
    const server = await start(play);
    const client = connectTo(server.origin);
    const input = human('Go.');
    const seen = all(
      client.runs.stream('thread', 'scripted', { ifNotExists: 'create', input, onDisconnect: 'cancel' }),
    );
    await middle.opened;
    await server.streams.drain(0);
    await seen.catch(() => undefined);
    onward.open();
    const [{ run_id: runId } = { run_id: '' }] = await client.runs.list('thread');
    const { event } = await lastValueFrom(server.app.get(RunFeed).follow({ runId, afterSeq: 0 }));
    expect(event).toMatchObject({ type: 'end', outcome: 'completed' });
  });

  it('reports a failed run with its public message only', async () => {
    const client = connectTo((await start(overloaded)).origin);
    const chunks = await all(
      client.runs.stream('thread', 'scripted', { ifNotExists: 'create', input: human('Go.') }),
    );
    expect(chunks.at(-1)).toMatchObject({
      event: 'error',
      data: { error: 'MODEL_OVERLOADED', message: 'The model is busy.' },
    });
    expect((await client.threads.getState('thread')).tasks).toMatchObject([{ error: 'The model is busy.' }]);
    expect(await client.threads.get('thread')).toMatchObject({ status: 'error' });
  });

  it('refuses a start without credentials, an unknown agent or an unsupported option before the stream', async () => {
    const secret = 'x'.repeat(32);
    const closed = connectTo(
      (await start(nineWords, { auth: { kind: 'credentials', jwt: { secret } } })).origin,
    );
    await expect(all(closed.runs.stream(null, 'scripted', { input: human('Go.') }))).rejects.toThrow('401');
    await expect(closed.assistants.search()).rejects.toThrow('401');

    const client = connectTo((await start(nineWords)).origin);
    const ask = (assistant: string, payload: object) =>
      all(
        client.runs.stream('thread', assistant, { ifNotExists: 'create', input: human('Go.'), ...payload }),
      );
    await expect(ask('nobody', {})).rejects.toThrow("There is no agent 'nobody'");
    await expect(ask('scripted', { checkpointId: 'earlier' })).rejects.toThrow("There is no run 'earlier'");
    await expect(client.runs.get('thread', 'none')).rejects.toThrow('404');
    expect(await all(client.runs.joinStream('thread', 'none'))).toMatchObject([
      { event: 'error', data: { error: 'NOT_FOUND', message: '404: Run not found' } },
    ]);
    await expect(client.threads.get('thread')).rejects.toThrow('404');
  });

  it('refuses what would otherwise be dropped without a word, and says what', async () => {
    const { origin } = await start(nineWords);
    const client = connectTo(origin);
    const ask = (payload: object) =>
      all(
        client.runs.stream('thread', 'scripted', { ifNotExists: 'create', input: human('Go.'), ...payload }),
      );
    for (const [payload, sentence] of [
      [{ streamMode: ['values', 'one', 'two'] }, "stream_mode: 'one', 'two' is not served here"],
      [{ streamMode: 'other' }, 'The modes are values, updates'],
      [{ checkpoint: { checkpoint_ns: 'a', checkpoint_id: 'x' } }, 'checkpoint_ns: A thread continues from'],
      [
        { checkpoint: { checkpoint_id: 'x-question' } },
        'Send no input, or continue from the state before it',
      ],
      [{ onCompletion: 'delete' }, 'on_completion: Not supported here'],
      [{ ifNotExists: 'reject' }, '404'],
      [{ webhook: 'https://example.com' }, 'webhook: Not supported here'],
      [{ feedbackKeys: ['a'] }, 'feedback_keys: Not supported here'],
      [{ config: { max_concurrency: 1 } }, 'config.max_concurrency: Not supported here'],
      [{ command: { goto: 'a', resume: 1 } }, 'in a run of its own'],
    ] as const) {
      await expect(ask(payload)).rejects.toThrow(sentence);
    }
    const other = { streamMode: ['other' as 'debug'] };
    await expect(all(client.runs.joinStream('thread', 'none', other))).rejects.toThrow(
      "'other' is not served here",
    );
    await expect(client.threads.create({ supersteps: [{ updates: [] }] })).rejects.toThrow('supersteps');
    // Nothing of this has left anything behind.
    await expect(client.threads.get('thread')).rejects.toThrow('404');
  });

  it('accepts what changes nothing, and takes the metadata of the config', async () => {
    const client = connectTo((await start(nineWords)).origin);
    const config = { tags: ['a'], metadata: { from: 'config' }, configurable: {} };
    await all(
      client.runs.stream('thread', 'scripted', {
        ifNotExists: 'create',
        input: human('Go.'),
        config,
        metadata: { by: 'me' },
        durability: 'exit',
        streamResumable: true,
        multitaskStrategy: 'enqueue',
        interruptBefore: [],
      }),
    );
    expect(await client.runs.list('thread')).toMatchObject([{ metadata: { from: 'config', by: 'me' } }]);
  });

  it('refuses a second run with `reject`, even where such runs are queued', async () => {
    const { play, onward } = twoPart();
    const client = connectTo((await start(play, { whenBusy: 'queue' })).origin);
    await client.runs.create('thread', 'scripted', { ifNotExists: 'create', input: human('Go.') });
    const again = { input: human('Again.'), multitaskStrategy: 'reject' } as const;
    await expect(client.runs.create('thread', 'scripted', again)).rejects.toThrow('409');
    onward.open();
  });

  it('answers 404 to a run id below another thread', async () => {
    const client = connectTo((await start(nineWords)).origin);
    const chunks = await all(client.runs.stream(null, 'scripted', { input: human('Go.') }));
    const { run_id, thread_id } = chunks[0]!.data as { run_id: string; thread_id: string };
    expect(await client.runs.get(thread_id, run_id)).toMatchObject({ assistant_id: 'scripted' });
    await expect(client.runs.get('elsewhere', run_id)).rejects.toThrow('404');
    await expect(client.runs.cancel('elsewhere', run_id)).rejects.toThrow('404');
  });

  it('lists the agents as assistants', async () => {
    const client = connectTo((await start(nineWords)).origin);
    const [assistant] = await client.assistants.search();
    expect(assistant).toMatchObject({ assistant_id: 'scripted', graph_id: 'scripted' });
    expect(await client.assistants.get('scripted')).toEqual(assistant);
    expect(await client.assistants.search({ graphId: 'another' })).toEqual([]);
    await expect(client.assistants.get('another')).rejects.toThrow('404');
  });
});

/** Creates the inside of the legacy `useStream`, without React, in each of LangChain's frameworks. */
function createHook(client: Client, assistantId: string) {
  const options = { assistantId, client, fetchStateHistory: true };
  const accessors = {
    getClient: () => client,
    getAssistantId: () => assistantId,
    getMessagesKey: () => 'messages',
  };
  return new StreamOrchestrator<{ messages: Message[] }>(options, accessors);
}

describe('legacy useStream', () => {
  const shown = (hook: ReturnType<typeof createHook>) =>
    hook.messageInstances.map((message) => `${message.getType()}: ${message.text}`);

  it('submits twice, and shows the same history when the thread is opened again', async () => {
    const client = connectTo(await startDemo());
    const hook = createHook(client, 'assistant');
    await hook.submit({ messages: [{ type: 'human', content: 'What is 6 times 7?' }] });
    expect(hook.error).toBeUndefined();
    await hook.submit({ messages: [{ type: 'human', content: 'Which countries border Austria?' }] });
    expect(hook.messageInstances.map((message) => message.getType())).toEqual([
      'human',
      'ai',
      'tool',
      'ai',
      'human',
      'ai',
      'tool',
      'ai',
    ]);

    const late = createHook(client, 'assistant');
    const read = new Promise<void>((resolve) => {
      late.subscribe(() => (late.historyData.data === undefined ? undefined : resolve()));
    });
    late.initThreadId(hook.threadId);
    await read;
    expect(shown(late)).toEqual(shown(hook));
    hook.dispose();
    late.dispose();
  });

  it('joins a run in progress from its first event', async () => {
    const { play, middle, onward } = twoPart();
    const client = connectTo((await start(play)).origin);
    const { run_id } = await client.runs.create('thread', 'scripted', {
      ifNotExists: 'create',
      input: human('Go.'),
    });
    await middle.opened;
    const hook = createHook(client, 'scripted');
    hook.initThreadId('thread');
    const joined = hook.joinStream(run_id);
    onward.open();
    await joined;
    expect(shown(hook)).toEqual(['human: Go.', 'ai: Half and half.']);
    expect(hook.isLoading).toBe(false);
    hook.dispose();
  });
});

describe('RemoteGraph', () => {
  const remote = (origin: string, graphId: string) => new RemoteGraph({ graphId, client: connectTo(origin) });

  it('invokes and streams the agent, and reads the state of its thread', async () => {
    const graph = remote(await startDemo(), 'assistant');
    const config = { configurable: { thread_id: 'thread' } };
    const { messages } = (await graph.invoke(human('What is 6 times 7?'), config)) as { messages: Message[] };
    expect(messages.at(-1)?.content).toContain('42');

    const chunks = await all(
      await graph.stream(human('Which countries border Austria?'), {
        ...config,
        streamMode: ['messages', 'updates'],
      }),
    );
    const modes = (chunks as unknown as [string, unknown][]).map(([mode]) => mode);
    expect([...new Set(modes)].toSorted()).toEqual(['messages', 'updates']);
    const state = await graph.getState(config);
    expect((state.values as { messages: Message[] }).messages).toHaveLength(8);
  });

  it('throws the public message of a failed run', async () => {
    const server = await start(overloaded);
    await expect(remote(server.origin, 'scripted').invoke(human('Go.'))).rejects.toThrow(
      'The model is busy.',
    );
  });
});

import { describe, expect, it } from '@jest/globals';
import { RemoteGraph } from '@langchain/langgraph/remote';
import { Client, type StreamMode } from '@langchain/langgraph-sdk';
import { StreamOrchestrator } from '@langchain/langgraph-sdk/ui';
import { lastValueFrom } from 'rxjs';
import { RunFeed } from '../../src/index.js';
import { collected } from '../support/collected.js';
import { faultProxies } from '../support/fault.proxies.js';
import { everything, nineWords, overloaded, twoPart } from '../support/plays.js';
import { demoServers } from './demo.server.js';
import { protocolServers } from './protocol.servers.js';

const start = protocolServers();
const startDemo = demoServers();
const startProxy = faultProxies();

const clientOf = (origin: string, defaultHeaders: Record<string, string> = {}) =>
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

/** What a stream's state says in the end. */
function textsOf(chunks: readonly Chunk[]): string[] {
  const values = chunks.findLast(({ event }) => event === 'values')?.data as { messages: Message[] };
  return values.messages.map(({ type, content }) => `${type}: ${content}`);
}

interface Message {
  readonly type: string;
  readonly content: string;
}

/** What the pieces of messages add up to. */
function wordsOf(chunks: readonly Chunk[]): string {
  return chunks
    .filter(({ event }) => event === 'messages')
    .map(({ data }) => (data as [Message])[0])
    .map(({ type, content }) => (type === 'AIMessageChunk' ? content : ''))
    .join('');
}

describe("LangGraph's client.runs", () => {
  it('talks with a tool, and goes on talking in the thread', async () => {
    const client = clientOf(await startDemo());
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
    expect(created).toEqual(first[0]!.data);
    expect(first.at(-1)).toMatchObject({ event: 'end', data: { status: 'success' } });
    expect(textsOf(first).map((text) => text.split(':')[0])).toEqual(['human', 'ai', 'tool', 'ai']);
    expect(textsOf(first).at(-1)).toContain('42');
    expect(first.filter(({ event }) => event === 'tools').map(({ data }) => data)).toMatchObject([
      { event: 'on_tool_start', name: 'calculator' },
      { event: 'on_tool_end', name: 'calculator' },
    ]);

    const input = human('Which countries border Austria?');
    const second = await all(client.runs.stream(thread_id, 'assistant', { input }));
    expect([...new Set(second.map(({ event }) => event))]).toEqual(['metadata', 'values', 'end']);
    expect(textsOf(second).slice(0, 4)).toEqual(textsOf(first));
    expect(textsOf(second).at(-1)).toContain('Italy');

    const { values } = await client.threads.getState<{ messages: Message[] }>(thread_id);
    expect(values.messages.map(({ type, content }) => `${type}: ${content}`)).toEqual(textsOf(second));
    const history = await client.threads.getHistory(thread_id);
    expect(history.map((state) => (state.values as { messages: Message[] }).messages.length)).toEqual([8, 4]);
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

  it('comes back by itself after a cut, and says nothing twice', async () => {
    const { play, middle, onward } = twoPart();
    const server = await start(play);
    const proxy = await startProxy(server);
    const client = clientOf(proxy.origin);
    const seen = all(
      client.runs.stream('thread', 'scripted', {
        input: human('Go.'),
        streamMode: ['messages-tuple', 'values'],
      }),
    );
    await middle.opened;
    proxy.drop('reset');
    onward.open();
    const chunks = await seen;
    expect(wordsOf(chunks)).toBe('Half and half.');
    expect(textsOf(chunks)).toEqual(['human: Go.', 'ai: Half and half.']);
    expect(chunks.filter(({ event }) => event === 'metadata')).toHaveLength(1);
    expect(proxy.connections).toBeGreaterThan(1);
  });

  it('joins a run: whole, behind what it has, and as a second viewer while it goes on', async () => {
    const { play, middle, onward } = twoPart();
    const client = clientOf((await start(play)).origin);
    const { run_id } = await client.runs.create('thread', 'scripted', { input: human('Go.') });
    await middle.opened;
    expect(await client.runs.get('thread', run_id)).toMatchObject({ run_id, status: 'running' });
    expect(await client.threads.get('thread')).toMatchObject({ status: 'busy' });
    const viewers = [1, 2].map(() => all(client.runs.joinStream('thread', run_id, { streamMode: ALL })));
    onward.open();
    const [whole, other] = await Promise.all(viewers);
    expect(other).toEqual(whole);
    expect(wordsOf(whole!)).toBe('Half and half.');
    expect(await all(client.runs.joinStream(null, run_id, { streamMode: ALL }))).toEqual(whole);

    for (const [index, { id = '' }] of whole!.entries()) {
      const rest = await all(client.runs.joinStream('thread', run_id, { streamMode: ALL, lastEventId: id }));
      expect(rest).toEqual(whole!.slice(whole!.length - rest.length));
      const seen = [...whole!.slice(0, index + 1), ...rest];
      expect([wordsOf(seen), textsOf(seen)]).toEqual([wordsOf(whole!), textsOf(whole!)]);
    }
    const again = await all(client.runs.joinStream('thread', run_id, { streamMode: ALL, lastEventId: '-1' }));
    expect(again).toEqual(whole);
  });

  it('reads the same again of a run that has some of everything', async () => {
    const client = clientOf((await start(everything)).origin);
    const first = await all(
      client.runs.stream('thread', 'scripted', { input: human('Go.'), streamMode: ALL }),
    );
    const { run_id } = first[0]!.data as { run_id: string };
    expect(await all(client.runs.joinStream('thread', run_id, { streamMode: ALL }))).toEqual(first);
    expect(await client.runs.list('thread')).toMatchObject([{ run_id, status: 'success' }]);
    expect(await client.runs.list('thread', { status: 'error' })).toEqual([]);
    expect(await client.runs.list('thread', { offset: 1 })).toEqual([]);
  });

  it('stops a run and keeps what was said', async () => {
    const { play, middle } = twoPart();
    const client = clientOf((await start(play)).origin);
    const seen = all(client.runs.stream('thread', 'scripted', { input: human('Go.') }));
    await middle.opened;
    const [{ run_id } = { run_id: '' }] = await client.runs.list('thread');
    await client.runs.cancel('thread', run_id, true);
    expect(await client.runs.get('thread', run_id)).toMatchObject({ status: 'interrupted' });
    const chunks = await seen;
    expect(chunks.at(-1)).toMatchObject({ event: 'end', data: { run_id, status: 'interrupted' } });
    expect(textsOf(chunks)).toEqual(['human: Go.', 'ai: Half ']);
    await expect(client.runs.cancel('thread', run_id, false, 'rollback')).rejects.toThrow('400');
  });

  it('stops a run by leaving, when it has said that it would', async () => {
    const { play, middle } = twoPart();
    const client = clientOf((await start(play)).origin);
    const leaving = new AbortController();
    const seen = all(
      client.runs.stream('thread', 'scripted', {
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
    expect((await viewer).at(-1)).toMatchObject({ data: { status: 'interrupted' } });
  });

  it('goes on when it is the server that leaves, also for a client that would have ended it', async () => {
    const { play, middle, onward } = twoPart();
    const server = await start(play);
    const client = clientOf(server.origin);
    const input = human('Go.');
    const seen = all(client.runs.stream('thread', 'scripted', { input, onDisconnect: 'cancel' }));
    await middle.opened;
    await server.streams.drain(0);
    await seen.catch(() => undefined);
    onward.open();
    const [{ run_id: runId } = { run_id: '' }] = await client.runs.list('thread');
    const { event } = await lastValueFrom(server.app.get(RunFeed).follow({ runId, afterSeq: 0 }));
    expect(event).toMatchObject({ type: 'end', outcome: 'completed' });
  });

  it('is told of a failure, in public words only', async () => {
    const client = clientOf((await start(overloaded)).origin);
    const chunks = await all(client.runs.stream('thread', 'scripted', { input: human('Go.') }));
    expect(chunks.slice(-2)).toMatchObject([
      { event: 'error', data: { error: 'MODEL_OVERLOADED', message: 'The model is busy.' } },
      { event: 'end', data: { status: 'error' } },
    ]);
    expect((await client.threads.getState('thread')).tasks).toMatchObject([{ error: 'The model is busy.' }]);
    expect(await client.threads.get('thread')).toMatchObject({ status: 'error' });
  });

  it('is refused before the stream: without credentials, by another name, with what is not understood', async () => {
    const secret = 'x'.repeat(32);
    const closed = clientOf(
      (await start(nineWords, { auth: { kind: 'credentials', jwt: { secret } } })).origin,
    );
    await expect(all(closed.runs.stream(null, 'scripted', { input: human('Go.') }))).rejects.toThrow('401');
    await expect(closed.assistants.search()).rejects.toThrow('401');

    const client = clientOf((await start(nineWords)).origin);
    const ask = (assistant: string, payload: object) =>
      all(client.runs.stream('thread', assistant, { input: human('Go.'), ...payload }));
    await expect(ask('nobody', {})).rejects.toThrow("There is no agent 'nobody'");
    await expect(ask('scripted', { checkpointId: 'earlier' })).rejects.toThrow('Not supported here');
    await expect(client.runs.get('thread', 'none')).rejects.toThrow('404');
    await expect(all(client.runs.joinStream('thread', 'none'))).rejects.toThrow('404');
    await expect(client.threads.get('thread')).rejects.toThrow('404');
  });

  it('hides a run from whoever names another thread', async () => {
    const client = clientOf((await start(nineWords)).origin);
    const chunks = await all(client.runs.stream(null, 'scripted', { input: human('Go.') }));
    const { run_id, thread_id } = chunks[0]!.data as { run_id: string; thread_id: string };
    expect(await client.runs.get(thread_id, run_id)).toMatchObject({ assistant_id: 'scripted' });
    await expect(client.runs.get('elsewhere', run_id)).rejects.toThrow('404');
    await expect(client.runs.cancel('elsewhere', run_id)).rejects.toThrow('404');
  });

  it('finds the agents as assistants', async () => {
    const client = clientOf((await start(nineWords)).origin);
    const [assistant] = await client.assistants.search();
    expect(assistant).toMatchObject({ assistant_id: 'scripted', graph_id: 'scripted' });
    expect(await client.assistants.get('scripted')).toEqual(assistant);
    expect(await client.assistants.search({ graphId: 'another' })).toEqual([]);
    await expect(client.assistants.get('another')).rejects.toThrow('404');
  });
});

/** What the legacy `useStream` is made of, without React, in each of LangChain's frameworks. */
function hookOf(client: Client, assistantId: string) {
  const options = { assistantId, client, fetchStateHistory: true };
  const accessors = {
    getClient: () => client,
    getAssistantId: () => assistantId,
    getMessagesKey: () => 'messages',
  };
  return new StreamOrchestrator<{ messages: Message[] }>(options, accessors);
}

describe('the legacy useStream', () => {
  const shown = (hook: ReturnType<typeof hookOf>) =>
    hook.messageInstances.map((message) => `${message.getType()}: ${message.text}`);

  it('submits, submits again, and finds the thread when it opens it anew', async () => {
    const client = clientOf(await startDemo());
    const hook = hookOf(client, 'assistant');
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

    const late = hookOf(client, 'assistant');
    const read = new Promise<void>((resolve) => {
      late.subscribe(() => (late.historyData.data === undefined ? undefined : resolve()));
    });
    late.initThreadId(hook.threadId);
    await read;
    expect(shown(late)).toEqual(shown(hook));
    hook.dispose();
    late.dispose();
  });

  it('joins a run that goes on, from its first event', async () => {
    const { play, middle, onward } = twoPart();
    const client = clientOf((await start(play)).origin);
    const { run_id } = await client.runs.create('thread', 'scripted', { input: human('Go.') });
    await middle.opened;
    const hook = hookOf(client, 'scripted');
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
  const remote = (origin: string, graphId: string) => new RemoteGraph({ graphId, client: clientOf(origin) });

  it('is invoked, streams, and has the state of its thread', async () => {
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

  it('throws what the agent failed with', async () => {
    const server = await start(overloaded);
    await expect(remote(server.origin, 'scripted').invoke(human('Go.'))).rejects.toThrow(
      'The model is busy.',
    );
  });
});

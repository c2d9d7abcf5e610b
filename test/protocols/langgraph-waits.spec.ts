import { describe, expect, it } from '@jest/globals';
import { AIMessage } from '@langchain/core/messages';
import { interrupt, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { Client } from '@langchain/langgraph-sdk';
import { LangGraphAgent } from '../../src/agents/langgraph/index.js';
import { chatServers } from '../support/chat.server.js';
import { overloaded, twoPart } from '../support/plays.js';
import { demoServers } from './demo.server.js';
import { protocolServers } from './protocol-servers.js';

const start = protocolServers();
const startDemo = demoServers();
const startGraph = chatServers();

const connectTo = (origin: string) =>
  new Client({ apiUrl: `${origin}/protocols/langgraph`, apiKey: null, callerOptions: { maxRetries: 0 } });
const human = (content: string) => ({ messages: [{ type: 'human', content }] });
const listTexts = (values: unknown) =>
  (values as { messages: { type: string; content: string }[] }).messages.map(
    ({ type, content }) => `${type}: ${content}`,
  );

describe('a client of LangGraph that waits', () => {
  it('gets the whole state at the end of a run, in a known thread and in a new one', async () => {
    const client = connectTo(await startDemo());
    const { thread_id } = await client.threads.create();
    let created: { run_id: string; thread_id?: string } | undefined;
    const first = await client.runs.wait(thread_id, 'assistant', {
      input: human('What is 6 times 7?'),
      onRunCreated: (run) => (created = run),
    });
    expect(listTexts(first).at(-1)).toContain('42');
    expect(created).toMatchObject({ run_id: expect.any(String), thread_id });
    expect(await client.runs.join(thread_id, created!.run_id)).toEqual(first);
    const second = await client.runs.wait(thread_id, 'assistant', { input: human('And 7 times 8?') });
    expect(listTexts(second).slice(0, 4)).toEqual(listTexts(first));
    const alone = await client.runs.wait(null, 'assistant', { input: human('What is 1 plus 1?') });
    expect(listTexts(alone)[0]).toBe('human: What is 1 plus 1?');
  });

  it('joins a run in progress, and one that was started in a thread of its own without streaming it', async () => {
    const { play, middle, onward } = twoPart();
    const client = connectTo((await start(play)).origin);
    const { run_id, thread_id } = await client.runs.create(null, 'scripted', { input: human('hello') });
    await middle.opened;
    const joined = client.runs.join(thread_id, run_id);
    onward.open();
    expect(listTexts(await joined)).toEqual(['human: hello', 'ai: Half and half.']);
  });

  it('gets the public message of a run that failed', async () => {
    const client = connectTo((await start(overloaded)).origin);
    const waited = client.runs.wait(null, 'scripted', { input: human('hello') });
    await expect(waited).rejects.toThrow('MODEL_OVERLOADED: The model is busy.');
    expect(await client.runs.wait(null, 'scripted', { input: human('hello'), raiseError: false })).toEqual({
      __error__: { error: 'MODEL_OVERLOADED', message: 'The model is busy.' },
    });
  });

  it('stops the run when it leaves, if it wants that', async () => {
    const { play, middle } = twoPart();
    const server = await start(play);
    const client = connectTo(server.origin);
    const { thread_id } = await client.threads.create();
    const leaving = new AbortController();
    const waited = client.runs.wait(thread_id, 'scripted', {
      input: human('hello'),
      onDisconnect: 'cancel',
      signal: leaving.signal,
    });
    waited.catch(() => undefined);
    await middle.opened;
    leaving.abort();
    await expect(waited).rejects.toThrow();
    const [run] = await client.runs.list(thread_id);
    const state = (await client.runs.join(thread_id, run!.run_id)) as unknown;
    expect(listTexts(state)).toEqual(['human: hello', 'ai: Half ']);
    expect((await client.runs.get(thread_id, run!.run_id)).status).toBe('interrupted');
  });

  it('gets what a graph asks, and the state after its answer', async () => {
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('ask', () => ({ messages: [new AIMessage(`It is ${String(interrupt('Which?'))}.`)] }))
      .addEdge(START, 'ask')
      .compile();
    const server = await startGraph({
      agents: (kit) => [
        new LangGraphAgent({ ...kit, name: 'chat', description: 'Asks.', graph: graph as never }),
      ],
      protocols: {},
    });
    const client = connectTo(new URL(server.url).origin);
    const { thread_id } = await client.threads.create();
    const asked = await client.runs.wait(thread_id, 'chat', { input: human('Go!') });
    expect(asked).toMatchObject({ __interrupt__: [{ value: 'Which?' }] });
    const answered = await client.runs.wait(thread_id, 'chat', { command: { resume: 'red' } });
    expect(listTexts(answered)).toEqual(['human: Go!', 'ai: It is red.']);
    expect(answered).not.toHaveProperty('__interrupt__');
  });

  it('counts its connection as an open stream', async () => {
    const { play, middle, onward } = twoPart();
    const server = await start(play, { throttling: { maxOpenStreams: 1 } });
    const client = connectTo(server.origin);
    const { thread_id } = await client.threads.create();
    const first = client.runs.wait(thread_id, 'scripted', { input: human('hello') });
    await middle.opened;
    const [run] = await client.runs.list(thread_id);
    await expect(client.runs.join(thread_id, run!.run_id)).rejects.toThrow('429');
    onward.open();
    await first;
    expect(listTexts(await client.runs.join(thread_id, run!.run_id))).toHaveLength(2);
  });
});

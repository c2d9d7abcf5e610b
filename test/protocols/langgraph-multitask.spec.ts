import { describe, expect, it } from '@jest/globals';
import { AIMessage } from '@langchain/core/messages';
import { END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { Client, type Message } from '@langchain/langgraph-sdk';
import { LangGraphAgent } from '../../src/agents/langgraph/index.js';
import { chatServers, gate } from '../support/chat.server.js';

const start = chatServers();
const human = (content: string) => ({ messages: [{ type: 'human', content }] });

/** A graph that waits in its first answer until the test lets it, or it is stopped, and says which questions it has heard. */
async function serve() {
  const begun = gate();
  const rest = gate();
  const graph = new StateGraph(MessagesAnnotation)
    .addNode('think', () => ({}))
    .addNode('listen', async ({ messages }, { signal }) => {
      const heard = messages.filter((message) => message.getType() === 'human').map(({ text }) => text);
      if (heard.at(-1) === 'wait') {
        begun.open();
        await Promise.race([rest.opened, new Promise((stop) => signal?.addEventListener('abort', stop))]);
      }
      return { messages: [new AIMessage(`heard ${heard.join(', ')}`)] };
    })
    .addEdge(START, 'think')
    .addEdge('think', 'listen')
    .addEdge('listen', END)
    .compile();
  const { origin } = await start({
    agents: (kit) => [
      new LangGraphAgent({ ...kit, name: 'listening', description: 'Listens.', graph: graph as never }),
    ],
    protocols: {},
  });
  const client = new Client({
    apiUrl: `${origin}/protocols/langgraph`,
    apiKey: null,
    callerOptions: { maxRetries: 0 },
  });
  return { client, begun, rest };
}

describe('a run in a busy thread', () => {
  const ask = async (strategy: 'reject' | 'enqueue' | 'interrupt' | 'rollback') => {
    const { client, begun, rest } = await serve();
    const first = await client.runs.create('thread', 'listening', {
      ifNotExists: 'create',
      input: human('wait'),
    });
    await begun.opened;
    const next = client.runs.create('thread', 'listening', {
      ifNotExists: 'create',
      input: human('now'),
      multitaskStrategy: strategy,
    });
    return { client, first, next, rest };
  };
  const getLast = async (client: Client) =>
    (await client.threads.getState<{ messages: Message[] }>('thread')).values.messages.at(-1)?.content;

  it('is refused with `reject`', async () => {
    const { next, rest } = await ask('reject');
    await expect(next).rejects.toThrow('409');
    rest.open();
  });

  it('waits with `enqueue`, whatever the server does by itself', async () => {
    const { client, first, next, rest } = await ask('enqueue');
    const { run_id } = await next;
    expect(await client.runs.get('thread', run_id)).toMatchObject({ status: 'pending' });
    rest.open();
    await client.runs.join('thread', run_id);
    expect(await client.runs.get('thread', first.run_id)).toMatchObject({ status: 'success' });
    expect(await getLast(client)).toBe('heard wait, now');
  });

  it('stops the one before it with `interrupt`, and goes on from there', async () => {
    const { client, first, next } = await ask('interrupt');
    await client.runs.join('thread', (await next).run_id);
    expect(await client.runs.get('thread', first.run_id)).toMatchObject({ status: 'interrupted' });
    expect(await getLast(client)).toBe('heard wait, now');
  });

  it('takes the place of the one before it with `rollback`', async () => {
    const { client, first, next } = await ask('rollback');
    const { run_id: runId } = await next;
    await client.runs.join('thread', runId);
    await expect(client.runs.get('thread', first.run_id)).rejects.toThrow('404');
    expect((await client.runs.list('thread')).map(({ run_id }) => run_id)).toEqual([runId]);
    expect((await client.threads.get('thread')).metadata).toMatchObject({ title: 'now' });
    expect(await getLast(client)).toBe('heard now');
  });
});

describe('breakpoints of a run', () => {
  it.each([{ interruptBefore: ['listen'] }, { interruptAfter: ['think'] }])(
    'stop the graph: %j',
    async (stops) => {
      const { client } = await serve();
      await client.runs.wait('thread', 'listening', { ifNotExists: 'create', input: human('now'), ...stops });
      const { values, tasks } = await client.threads.getState<{ messages: Message[] }>('thread');
      expect(values.messages.map(({ content }) => content)).toEqual(['now']);
      expect(tasks[0]?.interrupts).toHaveLength(1);
      const rest = await client.runs.wait('thread', 'listening', { command: { resume: 'go on' } });
      expect((rest as { messages: Message[] }).messages.at(-1)?.content).toBe('heard now');
    },
  );

  it('stop it before each node with `*`', async () => {
    const { client } = await serve();
    await client.runs.wait('thread', 'listening', {
      ifNotExists: 'create',
      input: human('now'),
      interruptBefore: '*',
    });
    const asked = async () => (await client.threads.getState('thread')).tasks[0]?.interrupts[0]?.value;
    expect(await asked()).toMatchObject({ type: 'breakpoint', next: ['think'] });
    await client.runs.wait('thread', 'listening', { command: { resume: true } });
    expect(await asked()).toMatchObject({ type: 'breakpoint', next: ['listen'] });
  });
});

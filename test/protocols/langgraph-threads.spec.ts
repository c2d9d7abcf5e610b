import { describe, expect, it } from '@jest/globals';
import { MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { Client } from '@langchain/langgraph-sdk';
import { z } from 'zod';
import { LangGraphAgent } from '../../src/agents/langgraph/index.js';
import { chatServers } from '../support/chat.server.js';
import { overloaded, twoPart } from '../support/plays.js';
import { protocolServers } from './protocol-servers.js';

const start = protocolServers();
const startGraphs = chatServers();
const connectTo = (origin: string) =>
  new Client({ apiUrl: `${origin}/protocols/langgraph`, apiKey: null, callerOptions: { maxRetries: 0 } });
interface LivingThread {
  readonly thread_id: string;
  readonly updated_at: string;
  readonly ttl?: { readonly strategy: string; readonly ttl_minutes: number; readonly expires_at: string };
}
const human = (content: string) => ({ messages: [{ type: 'human', content }] });

describe("LangGraph's client.threads", () => {
  it('searches, counts and deletes threads', async () => {
    const { play, middle, onward } = twoPart();
    const server = await start((input, context) =>
      input.message === 'fail'
        ? overloaded(input, context)
        : input.message === 'wait'
          ? play(input, context)
          : undefined,
    );
    const client = connectTo(server.origin);
    const ids: Record<string, string> = {};
    for (const word of ['first', 'second', 'fail']) {
      const { thread_id } = await client.threads.create();
      await client.runs.wait(thread_id, 'scripted', { input: human(word), raiseError: false });
      ids[word] = thread_id;
    }
    const busy = await client.runs.create(null, 'scripted', { input: human('wait') });
    await middle.opened;

    const listIds = async (query: Parameters<typeof client.threads.search>[0]) =>
      (await client.threads.search(query)).map(({ thread_id }) => thread_id);
    expect(await listIds({})).toEqual([busy.thread_id, ids['fail'], ids['second'], ids['first']]);
    expect(await listIds({ limit: 2, offset: 1 })).toEqual([ids['fail'], ids['second']]);
    expect(await listIds({ status: 'idle' })).toEqual([ids['second'], ids['first']]);
    expect(await listIds({ status: 'error' })).toEqual([ids['fail']]);
    expect(await listIds({ status: 'busy' })).toEqual([busy.thread_id]);
    expect(await listIds({ ids: [ids['first']!, 'unknown'] })).toEqual([ids['first']]);
    const [whole] = await client.threads.search({ ids: [ids['first']!] });
    expect(whole).toEqual(await client.threads.get(ids['first']!));
    const [bare] = await client.threads.search({ ids: [ids['first']!], select: ['thread_id', 'status'] });
    expect(bare).toEqual({ ...whole, values: null, state_updated_at: expect.any(String) });
    const [{ content }] = (whole!.values as { messages: [{ content: unknown }] }).messages;
    expect(await listIds({ values: { messages: [{ type: 'human', content }] } })).toEqual([ids['first']]);
    const many = Array.from({ length: 101 }, (_, index) => ({ content: index }));
    await expect(listIds({ values: { messages: many } })).rejects.toThrow('at most 100 values');
    expect(await client.threads.count()).toBe(4);
    expect(await client.threads.count({ status: 'idle' })).toBe(2);

    onward.open();
    for (const id of [ids['first']!, busy.thread_id]) await client.threads.delete(id);
    expect(await listIds({})).toEqual([ids['fail'], ids['second']]);
    await expect(client.threads.get(ids['first']!)).rejects.toThrow('404');
  });
});

describe("methods of LangGraph's client that are not served", () => {
  it('are refused with a sentence that says what to use instead', async () => {
    const client = connectTo((await start(() => undefined)).origin);
    const { thread_id } = await client.threads.create();
    await client.runs.wait(thread_id, 'scripted', { input: human('first') });
    const [run] = await client.runs.list(thread_id);
    const { run_id } = run!;
    for (const [call, sentence] of [
      [
        () => client.runs.cancelMany({ threadId: thread_id, runIds: [run_id] }),
        'Several runs cannot be cancelled at once.',
      ],
      [() => client.threads.prune([thread_id]), 'Threads cannot be pruned.'],
      [() => client.crons.create('scripted', { schedule: '* * * * *' }), 'There are no crons.'],
      [
        () => client.crons.createForThread(thread_id, 'scripted', { schedule: '* * * * *' }),
        'There are no crons.',
      ],
      [() => client.crons.update('c-1', { schedule: '* * * * *' }), 'There are no crons.'],
      [() => client.crons.delete('c-1'), 'There are no crons.'],
      [() => client.crons.search(), 'There are no crons.'],
      [() => client.crons.count(), 'There are no crons.'],
      [
        () => client.threads.create({ ttl: { ttl: 5, strategy: 'keep_latest' as never } }),
        "ttl.strategy: The strategy is 'delete' here: a thread is deleted as a whole",
      ],
      [() => client.threads.create({ ttl: -5 }), 'ttl: Send minutes'],
      [() => client.threads.update(thread_id, { metadata: {}, ttl: 1e9 }), 'ttl: Send minutes'],
    ] as const) {
      const refused = call();
      await expect(refused).rejects.toThrow('HTTP 400');
      await expect(refused).rejects.toThrow(sentence);
    }
    expect(await client.runs.list(thread_id)).toHaveLength(1);
    for (const call of [
      () => client.runs.delete(thread_id, 'unknown'),
      () => client.runs.delete('unknown', run_id),
    ])
      await expect(call()).rejects.toThrow('HTTP 404: Run not found');
  });
});

describe('the lifetime of a thread', () => {
  it('is given in minutes, shown with its end, and counts again from each change', async () => {
    const server = await start(() => undefined);
    const client = connectTo(server.origin);
    const endless = await client.threads.create();
    const read = async (id: string) => {
      const { ttl, updated_at } = (await client.threads.get(id)) as unknown as LivingThread;
      return ttl && { ...ttl, expires_at: Date.parse(ttl.expires_at) - Date.parse(updated_at) };
    };
    const made = (await client.threads.create({ ttl: 5 })) as unknown as LivingThread;
    expect(made.ttl).toMatchObject({ strategy: 'delete', ttl_minutes: 5 });
    await client.runs.wait(made.thread_id, 'scripted', { input: human('Hello') });
    const lasts = (minutes: number) => ({
      strategy: 'delete',
      ttl_minutes: minutes,
      expires_at: minutes * 60_000,
    });
    expect(await read(made.thread_id)).toEqual(lasts(5));
    await client.runs.wait(endless.thread_id, 'scripted', { input: human('Hello') });
    expect(await read(endless.thread_id)).toBeUndefined();
    await client.threads.update(endless.thread_id, { metadata: {}, ttl: { ttl: 0.5, strategy: 'delete' } });
    await client.runs.wait(endless.thread_id, 'scripted', { input: human('Again') });
    expect(await read(endless.thread_id)).toEqual(lasts(0.5));
    const copy = await client.threads.copy(made.thread_id);
    expect((copy as unknown as LivingThread).ttl).toMatchObject({ ttl_minutes: 5 });
  });
});

describe('a search of threads by values', () => {
  it('finds those whose state has them', async () => {
    const client = connectTo((await start(() => undefined)).origin);
    const ids: string[] = [];
    for (const word of ['red', 'blue']) {
      const { thread_id } = await client.threads.create({ metadata: { word } });
      await client.runs.wait(thread_id, 'scripted', { input: human(word), raiseError: false });
      ids.push(thread_id);
    }
    await client.threads.create();
    const find = async (query: object) =>
      (await client.threads.search(query)).map((found) => found.thread_id);
    const values = { messages: [{ type: 'human', content: 'red' }] };
    expect(await find({ values })).toEqual([ids[0]]);
    expect(await find({ values, metadata: { word: 'blue' } })).toEqual([]);
    expect(await find({ values: { messages: [{ type: 'human' }] } })).toEqual(ids.toReversed());
    expect(await find({ values: { mood: 'good' } })).toEqual([]);
    expect(await client.threads.count({ values })).toBe(1);
  });
});

describe('a run in a thread that does not exist', () => {
  it('is refused, unless it may make the thread', async () => {
    const client = connectTo((await start(() => undefined)).origin);
    const input = human('hello');
    for (const ifNotExists of [undefined, 'reject'] as const)
      await expect(
        client.runs.create('mine', 'scripted', { input, ...(ifNotExists && { ifNotExists }) }),
      ).rejects.toThrow('404');
    await client.runs.create('mine', 'scripted', { input, ifNotExists: 'create' });
    expect(await client.threads.get('mine')).toMatchObject({ thread_id: 'mine' });
  });
});

describe('metadata of threads', () => {
  it('are stored before the first run, changed, and searched', async () => {
    const client = connectTo((await start(() => undefined)).origin);
    const { thread_id: red, metadata } = await client.threads.create({
      metadata: { color: 'red', at: { a: 1 } },
    });
    const { thread_id: blue } = await client.threads.create({ metadata: { color: 'blue' } });
    expect(metadata).toEqual({ color: 'red', at: { a: 1 } });
    expect(await client.threads.get(red)).toMatchObject({ metadata, status: 'idle', values: null });
    await client.threads.update(red, { metadata: { size: 2 } });
    const listIds = async (query: object) =>
      (await client.threads.search(query)).map(({ thread_id }) => thread_id);
    expect(await listIds({ metadata: { size: 2, at: { a: 1 } } })).toEqual([red]);
    expect(await listIds({ metadata: { size: 3 } })).toEqual([]);
    expect(await client.threads.count({ metadata: { color: 'blue' } })).toBe(1);
    expect(await listIds({ sortBy: 'created_at', sortOrder: 'asc' })).toEqual([red, blue]);
    expect(await listIds({ sortBy: 'created_at' })).toEqual([blue, red]);

    await client.runs.wait(red, 'scripted', { input: human('A question'), raiseError: false });
    const last = { graph_id: 'scripted', assistant_id: 'scripted' };
    const noted = { title: 'A question', ...metadata, size: 2, ...last };
    expect((await client.threads.get(red)).metadata).toEqual(noted);
    await expect(client.threads.create({ threadId: red })).rejects.toThrow('409');
    const same = await client.threads.create({
      threadId: red,
      ifExists: 'do_nothing',
      metadata: { size: 3 },
    });
    expect(same.metadata).toMatchObject({ size: 2 });
    await expect(client.threads.update('unknown', { metadata: {} })).rejects.toThrow(
      'HTTP 404: Thread with ID unknown not found',
    );
  });
});

describe("LangGraph's client.assistants", () => {
  const serve = async () => {
    const typed = new StateGraph(
      { state: z.object({ topic: z.string(), notes: z.string().optional() }) } as never,
      z.object({ tone: z.string() }) as never,
    )
      .addNode('write', () => ({ notes: 'Done.' }) as never)
      .addEdge(START, 'write')
      .compile();
    const nested = new StateGraph(z.object({ topic: z.string() }) as never)
      .addNode(
        'outer',
        new StateGraph(z.object({ topic: z.string(), draft: z.string() }) as never)
          .addNode('inner', typed as never)
          .addEdge(START, 'inner')
          .compile() as never,
      )
      .addEdge(START, 'outer')
      .compile();
    const messages = new StateGraph(MessagesAnnotation)
      .addNode('think', () => ({ messages: [] }))
      .addNode('say', () => ({ messages: [] }))
      .addEdge(START, 'think')
      .addConditionalEdges('think', () => 'say', ['say'])
      .compile();
    const server = await startGraphs({
      agents: (kit) =>
        Object.entries({ typed, messages, nested }).map(
          ([name, graph]) => new LangGraphAgent({ ...kit, name, description: name, graph: graph as never }),
        ),
      protocols: {},
    });
    return new URL(server.url).origin;
  };

  it('gives the graph and the schemas of an agent, and counts agents', async () => {
    const client = connectTo(await serve());
    expect(await client.assistants.count()).toBe(3);
    expect(await client.assistants.count({ graphId: 'typed' })).toBe(1);
    expect(await client.assistants.getGraph('messages')).toEqual({
      nodes: [
        { id: '__start__', type: 'schema', data: { name: '__start__' } },
        { id: 'think', type: 'runnable', data: { name: 'think' } },
        { id: 'say', type: 'runnable', data: { name: 'say' } },
      ],
      edges: [
        { source: '__start__', target: 'think', conditional: false },
        { source: 'think', target: 'say', conditional: true },
      ],
    });
    expect(await client.assistants.getSchemas('typed')).toMatchObject({
      graph_id: 'typed',
      input_schema: { properties: { topic: { type: 'string' } } },
      state_schema: { required: ['topic'] },
      context_schema: { properties: { tone: { type: 'string' } } },
    });
    expect(await client.assistants.getSchemas('messages')).toMatchObject({
      input_schema: { properties: { messages: {} } },
      state_schema: null,
    });
    await expect(client.assistants.getGraph('unknown')).rejects.toThrow('404');
  });

  it('lists the graphs that are nodes of an agent, with their schemas', async () => {
    const client = connectTo(await serve());
    const outer = { state: { properties: { draft: { type: 'string' } } } };
    const inner = { state: { properties: { notes: { type: 'string' } } } };
    expect(await client.assistants.getSubgraphs('messages')).toEqual({});
    const direct = await client.assistants.getSubgraphs('nested');
    expect(Object.keys(direct)).toEqual(['outer']);
    expect(direct).toMatchObject({ outer });
    const all = await client.assistants.getSubgraphs('nested', { recurse: true });
    expect(all).toMatchObject({ outer, 'outer|inner': inner });
    const namespace = 'outer|inner';
    expect(await client.assistants.getSubgraphs('nested', { namespace, recurse: true })).toEqual({
      [namespace]: all[namespace],
    });
    expect(await client.assistants.getSubgraphs('nested', { namespace: 'unknown' })).toEqual({});
    await expect(client.assistants.getSubgraphs('unknown')).rejects.toThrow('404');
  });

  it('says that it is there, and what it can, before anybody signs in', async () => {
    const origin = await serve();
    const ask = async (path: string) =>
      (await fetch(`${origin}/protocols/langgraph/${path}`)).json() as Promise<unknown>;
    expect(await ask('ok')).toEqual({ ok: true });
    expect(await ask('info')).toMatchObject({ flags: { assistants: true, crons: false } });
  });
});

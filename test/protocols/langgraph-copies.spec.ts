import { describe, expect, it } from '@jest/globals';
import { AIMessage } from '@langchain/core/messages';
import { END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { Client, type Message, type ThreadState } from '@langchain/langgraph-sdk';
import { LangGraphAgent } from '../../src/agents/langgraph/index.js';
import { chatServers, gate } from '../support/chat.server.js';

const start = chatServers();
const human = (content: string, id?: string) => ({
  messages: [{ type: 'human', content, ...(id && { id }) }],
});
const contents = ({ messages }: { readonly messages: Message[] }) => messages.map(({ content }) => content);

/** A graph that says what it has heard so far. It waits for the test when it hears so. */
async function serve({ keepsStates = false } = {}) {
  const begun = gate();
  const rest = gate();
  const graph = new StateGraph(MessagesAnnotation)
    .addNode('listen', async ({ messages }, { signal }) => {
      const heard = messages.filter((message) => message.getType() === 'human').map(({ text }) => text);
      if (heard.at(-1) === 'wait') {
        begun.open();
        await Promise.race([rest.opened, new Promise((stop) => signal?.addEventListener('abort', stop))]);
      }
      return { messages: [new AIMessage(`heard ${heard.join(', ')}`)] };
    })
    .addEdge(START, 'listen')
    .addEdge('listen', END)
    .compile();
  const server = await start({
    agents: (kit) => [
      new LangGraphAgent({
        ...kit,
        name: 'listening',
        description: 'Listens.',
        graph: graph as never,
        takesStateChanges: true,
        keepsStates,
      }),
    ],
    protocols: {},
  });
  const client = new Client({
    apiUrl: `${server.origin}/protocols/langgraph`,
    apiKey: null,
    callerOptions: { maxRetries: 0 },
  });
  const { thread_id: threadId } = await client.threads.create({ metadata: { topic: 'ears' } });
  const ask = (content: string, more = {}, thread = threadId) =>
    client.runs.wait(thread, 'listening', { input: human(content), ...more });
  const state = (thread = threadId) => client.threads.getState<{ messages: Message[] }>(thread);
  return { server, client, threadId, ask, state, begun, rest };
}

describe('a copied thread', () => {
  it.each([false, true])(
    'has the same states, but for the name of the thread: each kept %p',
    async (keepsStates) => {
      const { client, threadId, ask } = await serve({ keepsStates });
      await ask('one');
      await ask('two');
      const copy = await client.threads.copy(threadId);
      expect(copy).toMatchObject({ metadata: { topic: 'ears' }, status: 'idle' });
      const [original, copied] = await Promise.all(
        [threadId, copy.thread_id].map((id) => client.threads.getHistory(id)),
      );
      const renamed = original?.map(({ checkpoint, parent_checkpoint: parent, metadata, ...state }) => ({
        ...state,
        metadata: { ...metadata, thread_id: copy.thread_id },
        checkpoint: { ...checkpoint, thread_id: copy.thread_id },
        parent_checkpoint: parent && { ...parent, thread_id: copy.thread_id },
      }));
      expect(copied).toEqual(renamed);
    },
  );

  it('names each kept state by one id, in the history and in streams, and in copies of the copy', async () => {
    const { client, threadId, ask } = await serve({ keepsStates: true });
    await ask('one');
    let thread = threadId;
    for (const question of ['two', 'three', 'four']) {
      thread = (await client.threads.copy(thread)).thread_id;
      const known = await client.threads.getHistory(thread, { limit: 100 });
      const told: ThreadState<unknown>[] = [];
      const asked = { input: human(question), streamMode: 'checkpoints' } as const;
      for await (const { event, data } of client.runs.stream(thread, 'listening', asked))
        if (event === 'checkpoints') told.push(data as never);
      const history = await client.threads.getHistory(thread, { limit: 100 });
      const pick = ({ checkpoint, parent_checkpoint: parent, metadata }: ThreadState<unknown>) => [
        checkpoint.checkpoint_id,
        parent?.checkpoint_id,
        metadata?.['run_id'],
      ];
      expect(told.toReversed().map(pick)).toEqual(history.slice(0, -known.length).map(pick));
      expect(history.slice(-known.length).map(pick)).toEqual(known.map(pick));
      const chain = history.map(({ checkpoint }) => checkpoint.checkpoint_id);
      expect(history.map(({ parent_checkpoint: parent }) => parent?.checkpoint_id)).toEqual([
        ...chain.slice(1),
        undefined,
      ]);
    }
    const { thread_id: copy } = await client.threads.copy(thread);
    const [last] = await client.runs.list(copy);
    const values: unknown[] = [];
    for await (const { event, data } of client.runs.joinStream(copy, last!.run_id, {
      streamMode: ['values', 'checkpoints'],
    }))
      if (event === 'values' || event === 'checkpoints') values.push(data);
    const state = await client.threads.getState(copy);
    expect(values).toContainEqual(state.values);
    const joined = values.filter((each) => 'checkpoint' in (each as object)) as ThreadState<unknown>[];
    expect(joined.map(({ checkpoint }) => checkpoint.checkpoint_id)).toContain(
      state.checkpoint.checkpoint_id,
    );
    expect(joined.at(-1)?.metadata?.['run_id']).toBe(state.metadata?.['run_id']);
  });

  it('goes on by itself, and its original too', async () => {
    const { client, threadId, ask, state } = await serve();
    await ask('one');
    const { thread_id: copy } = await client.threads.copy(threadId);
    const before = await state();
    await ask('in the copy', {}, copy);
    expect(contents((await state(copy)).values).at(-1)).toBe('heard one, in the copy');
    expect(await state()).toEqual(before);
    await client.threads.delete(threadId);
    await ask('more', {}, copy);
    expect(contents((await state(copy)).values).at(-1)).toBe('heard one, in the copy, more');
  });

  it('is forked from its states, and changed, by the ids that they have', async () => {
    const { client, threadId, ask, state } = await serve();
    await ask('one');
    const first = (await state()).checkpoint;
    await ask('two');
    const { thread_id: copy } = await client.threads.copy(threadId);
    await ask('else', { checkpoint: { ...first, thread_id: copy } }, copy);
    expect(contents((await state(copy)).values).at(-1)).toBe('heard one, else');
    const read = await client.threads.getState<{ messages: Message[] }>(copy, first.checkpoint_id as string);
    expect(contents(read.values)).toEqual(['one', 'heard one']);
    const [question] = (await state(copy)).values.messages;
    const changed = { messages: [{ type: 'human', content: 'uno', id: question?.id }] };
    await client.threads.updateState(copy, { values: changed });
    expect(contents((await state(copy)).values)[0]).toBe('uno');
    expect(contents((await state()).values)[0]).toBe('one');
  });

  it('leaves out a run that goes on', async () => {
    const { client, threadId, ask, state, begun, rest } = await serve();
    await ask('one');
    const { run_id: runId } = await client.runs.create(threadId, 'listening', { input: human('wait') });
    await begun.opened;
    const { thread_id: copy } = await client.threads.copy(threadId);
    expect(contents((await state(copy)).values)).toEqual(['one', 'heard one']);
    rest.open();
    await client.runs.join(threadId, runId);
    await ask('two', {}, copy);
    expect(contents((await state(copy)).values).at(-1)).toBe('heard one, two');
  });

  it('is not made of a thread that the caller does not have', async () => {
    const { client } = await serve();
    await expect(client.threads.copy('unknown')).rejects.toThrow(
      'HTTP 409: Thread with ID unknown not found',
    );
  });

  it('is made by the native API as well', async () => {
    const { server, threadId, ask, state } = await serve();
    await ask('one');
    const reply = await fetch(`${server.url}/threads/${threadId}/copy`, { method: 'POST' });
    expect(reply.status).toBe(201);
    const { id } = (await reply.json()) as { readonly id: string };
    expect(contents((await state(id)).values)).toEqual(['one', 'heard one']);
    expect((await fetch(`${server.url}/threads/unknown/copy`, { method: 'POST' })).status).toBe(404);
  });
});

describe('a deleted run', () => {
  it('is gone with what was said in it, and the thread goes on before it', async () => {
    const { client, threadId, ask, state } = await serve();
    await ask('one');
    await ask('two');
    const [last, first] = await client.runs.list(threadId);
    if (!last || !first) throw new Error('There are no runs.');
    await client.runs.delete(threadId, last.run_id);
    await expect(client.runs.get(threadId, last.run_id)).rejects.toThrow('404');
    await expect(client.runs.join(threadId, last.run_id)).rejects.toThrow('404');
    expect(contents((await state()).values)).toEqual(['one', 'heard one']);
    await ask('three');
    expect(contents((await state()).values)).toEqual(['one', 'heard one', 'three', 'heard one, three']);
    expect((await client.runs.list(threadId)).at(-1)).toEqual(first);
  });

  it('has to be the last of its branch', async () => {
    const { client, threadId, ask } = await serve();
    await ask('one');
    await ask('two');
    const [last, first] = await client.runs.list(threadId);
    const refused = client.runs.delete(threadId, first?.run_id ?? '');
    await expect(refused).rejects.toThrow(`HTTP 409: Run '${last?.run_id}' continues from run`);
    const { response } = (await refused.catch((error: unknown) => error)) as { readonly response: Response };
    expect(response.headers.get('problem-code')).toBe('RUN_FOLLOWED');
    await expect(client.runs.delete('another', last?.run_id ?? '')).rejects.toThrow('404');
    expect(await client.runs.list(threadId)).toHaveLength(2);
  });

  it('is stopped first, and its stream ends', async () => {
    const { client, threadId, begun, state } = await serve();
    const run = await client.runs.create(threadId, 'listening', { input: human('wait') });
    await begun.opened;
    const events: string[] = [];
    const reading = (async () => {
      for await (const { event } of client.runs.joinStream(threadId, run.run_id)) events.push(event);
    })();
    await client.runs.delete(threadId, run.run_id);
    await reading;
    expect(await client.runs.list(threadId)).toEqual([]);
    await expect(state()).rejects.toThrow('404');
  });

  it('is deleted by the native API as well', async () => {
    const { server, client, threadId, ask } = await serve();
    await ask('one');
    await ask('two');
    const [last, first] = await client.runs.list(threadId);
    const remove = (run: typeof first) => fetch(`${server.url}/runs/${run?.run_id}`, { method: 'DELETE' });
    const refused = await remove(first);
    expect([refused.status, await refused.json()]).toMatchObject([
      409,
      { code: 'RUN_FOLLOWED', runId: last?.run_id },
    ]);
    expect((await remove(last)).status).toBe(204);
    expect((await remove(last)).status).toBe(404);
    expect((await remove(first)).status).toBe(204);
  });
});

import { describe, expect, it } from '@jest/globals';
import { Client } from '@langchain/langgraph-sdk';
import { MessagesAnnotation, START, StateGraph, type LangGraphRunnableConfig } from '@langchain/langgraph';
import { AIMessage } from '@langchain/core/messages';
import { z } from 'zod';
import { LangGraphAgent } from '../../src/agents/langgraph/index.js';
import { chatServers } from '../support/chat.server.js';
import { postJson } from '../support/post-json.js';

const start = chatServers();
const human = (content: string) => ({ messages: [{ type: 'human', content }] });

/** Answers with what it was configured with. */
const echo = new StateGraph(
  MessagesAnnotation,
  z.object({ tone: z.string().optional(), lang: z.string().optional() }) as never,
)
  .addNode('say', (_state, { configurable = {}, context }: LangGraphRunnableConfig) => ({
    messages: [new AIMessage(JSON.stringify({ model: configurable['model'], context }))],
  }))
  .addEdge(START, 'say');

async function serve() {
  const server = await start({
    agents: (kit) =>
      ['echo', 'other'].map(
        (name) =>
          new LangGraphAgent({
            ...kit,
            name,
            description: name,
            graph: echo.compile(),
            configurable: ['model'],
          }),
      ),
    protocols: {},
  });
  const apiUrl = `${server.origin}/protocols/langgraph`;
  return { apiUrl, client: new Client({ apiUrl, apiKey: null, callerOptions: { maxRetries: 0 } }) };
}

describe("assistants of LangGraph's clients", () => {
  it('are created, changed, put back to an earlier version, and deleted', async () => {
    const { client } = await serve();
    const made = await client.assistants.create({
      graphId: 'echo',
      assistantId: 'mine',
      name: 'Mine',
      config: { configurable: { model: 'small' } },
      metadata: { team: 'a', size: 1 },
    });
    expect(made).toMatchObject({ assistant_id: 'mine', graph_id: 'echo', version: 1, description: null });
    expect(await client.assistants.get('mine')).toEqual(made);

    const changed = await client.assistants.update('mine', { graphId: 'other', metadata: { size: 2 } });
    expect(changed).toMatchObject({ graph_id: 'other', name: 'Mine', version: 2, config: made.config });
    expect(changed.metadata).toEqual({ team: 'a', size: 2 });
    expect((await client.assistants.getVersions('mine')).map(({ version }) => version)).toEqual([2, 1]);
    expect(await client.assistants.getVersions('mine', { metadata: { size: 1 } })).toMatchObject([
      { version: 1 },
    ]);
    expect(await client.assistants.setLatest('mine', 1)).toMatchObject({ graph_id: 'echo', version: 1 });
    expect(await client.assistants.get('mine')).toMatchObject({ graph_id: 'echo', metadata: { size: 1 } });
    expect(await client.assistants.update('mine', { name: 'Third' })).toMatchObject({
      version: 3,
      graph_id: 'echo',
    });
    await expect(client.assistants.setLatest('mine', 9)).rejects.toThrow('404');

    await client.assistants.delete('mine');
    await expect(client.assistants.get('mine')).rejects.toThrow('HTTP 404: Assistant not found');
    await expect(client.assistants.delete('mine')).rejects.toThrow('404');
  });

  it('keep their id to themselves, and leave the agents as they are', async () => {
    const { client } = await serve();
    const { assistant_id: assistantId } = await client.assistants.create({ graphId: 'echo' });
    const again = { graphId: 'other', assistantId };
    await expect(client.assistants.create(again)).rejects.toThrow('409');
    expect(await client.assistants.create({ ...again, ifExists: 'do_nothing' })).toMatchObject({
      graph_id: 'echo',
    });
    await expect(client.assistants.create({ graphId: 'echo', assistantId: 'other' })).rejects.toThrow('409');
    await expect(client.assistants.create({ graphId: 'none' })).rejects.toThrow("There is no agent 'none'");
    await expect(client.assistants.update('echo', { name: 'Mine' })).rejects.toThrow('403');
    await expect(client.assistants.delete('echo')).rejects.toThrow('403');
    expect(await client.assistants.getVersions('echo')).toMatchObject([{ version: 1 }]);
  });

  it('are deleted with the threads that name them, if asked to', async () => {
    const { client } = await serve();
    const { assistant_id: assistantId } = await client.assistants.create({ graphId: 'echo' });
    const { thread_id: named } = await client.threads.create({ metadata: { assistant_id: assistantId } });
    const { thread_id: other } = await client.threads.create({ metadata: { assistant_id: 'another' } });
    await expect(client.assistants.delete('another', { deleteThreads: true })).rejects.toThrow('404');
    await client.assistants.delete(assistantId, { deleteThreads: true });
    await expect(client.assistants.get(assistantId)).rejects.toThrow('404');
    await expect(client.threads.get(named)).rejects.toThrow('404');
    expect(await client.threads.get(other)).toMatchObject({ thread_id: other });
  });

  it('are found by graph, name and metadata, and sorted', async () => {
    const { client } = await serve();
    for (const [name, graphId] of [
      ['Red', 'echo'],
      ['Blue', 'other'],
      ['Redder', 'other'],
    ] as const)
      await client.assistants.create({ name, graphId, metadata: { name } });
    const search = async (query: Parameters<typeof client.assistants.search>[0]) =>
      (await client.assistants.search(query)).map(({ name }) => name);
    expect(await search({})).toEqual(['Redder', 'Blue', 'Red', 'echo', 'other']);
    expect(await search({ limit: 2, offset: 1 })).toEqual(['Blue', 'Red']);
    expect(await search({ graphId: 'other' })).toEqual(['Redder', 'Blue', 'other']);
    expect(await search({ name: 'rED', sortBy: 'name', sortOrder: 'asc' })).toEqual(['Red', 'Redder']);
    expect(await search({ metadata: { name: 'Blue' } })).toEqual(['Blue']);
    expect(await search({ metadata: { created_by: 'system' } })).toEqual(['echo', 'other']);
    expect(await client.assistants.count({ graphId: 'other' })).toBe(3);
  });

  it('give a run their graph, config, context and metadata, unless it brings its own', async () => {
    const { client } = await serve();
    await client.assistants.create({
      graphId: 'echo',
      assistantId: 'mine',
      config: { configurable: { model: 'small' } },
      context: { tone: 'kind', lang: 'en' },
      metadata: { team: 'a' },
    });
    const answer = async (payload: object) => {
      const { thread_id } = await client.threads.create();
      const state = (await client.runs.wait(thread_id, 'mine', {
        input: human('x'),
        ...payload,
      })) as unknown as {
        readonly messages: readonly { readonly content: string }[];
      };
      const [run] = await client.runs.list(thread_id);
      expect(run).toMatchObject({ assistant_id: 'mine' });
      const { content } = state.messages.at(-1)!;
      return { ...(JSON.parse(content) as object), metadata: run!.metadata };
    };
    expect(await answer({})).toMatchObject({
      model: 'small',
      context: { tone: 'kind', lang: 'en' },
      metadata: { team: 'a' },
    });
    const own = {
      config: { configurable: { model: 'large' } },
      context: { tone: 'curt' },
      metadata: { team: 'b' },
    };
    expect(await answer(own)).toMatchObject({
      model: 'large',
      context: { tone: 'curt', lang: 'en' },
      metadata: { team: 'b' },
    });

    // A name that only the server gives stays refused.
    await client.assistants.update('mine', { config: { configurable: { user_id: 'eve' } } });
    await expect(client.runs.create(null, 'mine', { input: human('x') })).rejects.toThrow(
      'configurable.user_id',
    );
    await client.assistants.delete('mine');
    await expect(client.runs.create(null, 'mine', { input: human('x') })).rejects.toThrow("no agent 'mine'");
  });

  it('are limited in number and size, and lose their oldest versions first', async () => {
    const { client, apiUrl } = await serve();
    const text = 'x'.repeat(15_000);
    await client.assistants.create({ graphId: 'echo', assistantId: 'mine', metadata: { text } });
    for (let n = 0; n < 5; n += 1) await client.assistants.update('mine', { metadata: { n } });
    const versions = await client.assistants.getVersions('mine');
    expect(versions.map(({ version }) => version)).toEqual([6, 5, 4, 3]);
    const tooLarge = { graph_id: 'echo', context: { text: 'x'.repeat(70_000) } };
    expect((await postJson(`${apiUrl}/assistants`, tooLarge)).status).toBeGreaterThanOrEqual(400);
    for (let n = 1; n < 100; n += 1) await client.assistants.create({ graphId: 'echo' });
    await expect(client.assistants.create({ graphId: 'echo' })).rejects.toThrow('100 assistants');
  });
});

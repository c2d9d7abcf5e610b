import { describe, expect, it } from '@jest/globals';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Client } from '@langchain/langgraph-sdk';
import { appServers, type AppServer } from './support/app.server.js';
import { postJson } from './support/post-json.js';

const GRAPHS = 'test/fixtures/asking-graph.mjs';
const PICTURE = {
  type: 'image_url',
  image_url: {
    url: 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  },
};

describe('input and context of a graph over HTTP', () => {
  const start = appServers();
  const serve = () =>
    start({ AGENTS: `asking=${GRAPHS}#graph,parts=${GRAPHS}#parts`, AGENT_ACCEPTS: 'parts.image/*' });

  const post = async ({ origin }: AppServer, path: string, body: object) => {
    const response = await postJson(`${origin}/${path}`, body);
    return { status: response.status, text: await response.text() };
  };

  it('passes input and context of the native API to the graph, and refuses what its schemas refuse', async () => {
    const server = await serve();
    const input = { question: 'Why?', depth: 2 };
    const asked = await server.ask({ input, context: { tone: 'dry' } });
    expect(await asked.closed()).toBe('end');
    expect(asked.text).toBe('local asks Why? at 2, dry');
    const { threadId } = asked.frames[0]!.data;
    const thread = await fetch(`${server.origin}/api/chat/threads/${String(threadId)}`);
    expect(await thread.text()).toContain('Why?');

    const refused = async (body: object) => post(server, 'api/chat', body);
    expect(await refused({ input: { question: 'Why?', depth: 9 }, context: { tone: 'dry' } })).toMatchObject({
      status: 400,
      text: expect.stringMatching(/input: .*<=3/),
    });
    expect(await refused({ input })).toMatchObject({ status: 400, text: expect.stringContaining('tone') });
    expect(await refused({ message: 'Why?', context: { tone: 'dry' } })).toMatchObject({
      status: 400,
      text: expect.stringContaining('takes no message'),
    });
    expect(await refused({ agent: 'parts' })).toMatchObject({ status: 400 });
    expect(await refused({ agent: 'parts', message: 'x', input: { odd: 1 } })).toMatchObject({ status: 400 });
  });

  it('gives the runs of a graph the values of LANGGRAPH_CONFIG where their starts give none, and shows them', async () => {
    const graph = resolve('test/fixtures/mood-graph.mjs:graph');
    const values = { mood: { configurable: { voice: 'low' }, context: { mood: 'calm' } } };
    const project = join(mkdtempSync(join(tmpdir(), 'project-')), 'langgraph.json');
    const write = (config: string) =>
      writeFileSync(project, JSON.stringify({ graphs: { mood: graph }, env: { LANGGRAPH_CONFIG: config } }));
    write(JSON.stringify(values));
    const server = await start({ LANGGRAPH_JSON: project });
    const client = new Client({ apiUrl: `${server.origin}/protocols/langgraph`, apiKey: null });
    // The graph has no messages: those of an input are left out, as any key that it does not have.
    const input = { messages: [{ type: 'human', content: 'Hello.' }] };
    expect(await client.runs.wait(null, 'mood', { input })).toEqual({ said: 'calm and low' });
    const { thread_id } = await client.threads.create();
    const context = { mood: 'glad' };
    expect(await client.runs.wait(thread_id, 'mood', { input, context })).toEqual({ said: 'glad and low' });
    expect(await client.assistants.get('mood')).toMatchObject({
      config: { configurable: { voice: 'low' } },
      context: { mood: 'calm' },
    });
    // What the operator sets, a request still may not.
    const config = { configurable: { voice: 'high' } };
    await expect(client.runs.wait(null, 'mood', { input, config })).rejects.toThrow('does not take it');
    write('{');
    await expect(start({ LANGGRAPH_JSON: project })).rejects.toThrow('its LANGGRAPH_CONFIG is not JSON');
  });

  it('passes input, context and message parts of LangGraph clients to the graph, and refuses bad ones', async () => {
    const server = await serve();
    const stream = (body: object) =>
      post(server, 'protocols/langgraph/runs/stream', { stream_mode: 'values', ...body });
    const input = { question: 'Why?', depth: 2 };
    const config = { configurable: { thread_id: 'any' } };
    const answered = await stream({ assistant_id: 'asking', input, context: { tone: 'dry' }, config });
    expect(answered.text).toContain('local asks Why? at 2, dry');

    const said = { ...input, messages: [{ role: 'human', content: 'Why?' }] };
    const ignored = await stream({ assistant_id: 'asking', input: said, context: { tone: 'dry' } });
    expect(ignored.text).toContain('local asks Why? at 2, dry');
    const asText = await stream({ assistant_id: 'parts', input: { messages: ['What is this?'] } });
    expect(asText.text).toContain('What is this?');

    const content = [{ type: 'text', text: 'What is this?' }, PICTURE];
    const messages = [
      { type: 'system', content: 'Be kind.' },
      { type: 'human', content },
    ];
    const earlier = [...messages, { type: 'human', content: 'Well?' }];
    const looked = await stream({ assistant_id: 'parts', input: { messages: earlier } });
    expect(looked.text).toContain(
      JSON.stringify(
        JSON.stringify([
          ['system', 'Be kind.'],
          ['human', content],
          ['human', 'Well?'],
        ]),
      ),
    );
    const other = await start({ AGENTS: `parts=${GRAPHS}#parts` });
    for (const given of [messages, earlier])
      expect(
        await post(other, 'protocols/langgraph/runs/stream', {
          assistant_id: 'parts',
          input: { messages: given },
        }),
      ).toMatchObject({ status: 422, text: expect.stringContaining('FILE_NOT_ACCEPTED') });

    const human = { messages: [{ type: 'human', content: 'Hi.' }] };
    for (const body of [
      { input: { question: 1 }, context: { tone: 'dry' } },
      { input, context: {} },
      { assistant_id: 'parts', input: human, config: { configurable: { model: 'x' } } },
    ]) {
      expect((await stream({ assistant_id: 'asking', ...body })).status).toBeGreaterThanOrEqual(400);
    }
    // LangGraph leaves out what the state does not have.
    expect((await stream({ assistant_id: 'parts', input: { ...human, odd: 1 } })).status).toBe(200);
  });
});

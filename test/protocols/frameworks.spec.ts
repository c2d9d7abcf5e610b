import { describe, expect, it } from '@jest/globals';
import { ClientFactory } from '@a2a-js/sdk/client';
import { HttpAgent } from '@ag-ui/client';
import { Client } from '@langchain/langgraph-sdk';
import { StreamController } from '@langchain/langgraph-sdk/stream';
import OpenAI, { APIError } from 'openai';
import { ChatModule } from '../../src/chat/chat.module.js';
import type { ProtocolsOptions } from '../../src/chat/chat.options.js';
import { ScriptedAgent } from '../../src/testing/scripted.agent.js';
import { FRAMEWORKS, hostServers } from '../embedding/host.server.js';
import { collected } from '../support/collected.js';
import { nineWords } from '../support/plays.js';
import { defaultStorage } from '../support/storages.js';
import { postJson } from '../support/post-json.js';

const WORDS = 'thequickbrownfoxjumpsoverthelazydog';

describe.each(FRAMEWORKS)('protocols on %s below a prefix of the host', (framework) => {
  const start = hostServers();
  const serve = (protocols?: ProtocolsOptions) =>
    start(
      ChatModule.forRoot({
        storage: defaultStorage(),
        agents: () => [new ScriptedAgent(nineWords)],
        auth: { kind: 'local' },
        ...(protocols && { protocols }),
        drainMs: 0,
      }),
      { framework },
    );

  it('streams an AI SDK chat, and answers 204 to a resume or stop of an ended run', async () => {
    const server = await serve({ prefix: 'spoken' });
    const message = { role: 'user', parts: [{ type: 'text', text: 'hello' }] };
    const response = await postJson(server.url('/spoken/ai-sdk/chat'), { id: 'chat-1', message });
    expect(response.headers.get('x-vercel-ai-ui-message-stream')).toBe('v1');
    expect(await response.text()).toMatch(/"type":"finish".*\n\nid: .*\ndata: \[DONE\]\n\n$/s);
    expect((await server.call('GET', '/spoken/ai-sdk/chat/chat-1/stream')).status).toBe(204);
    expect((await server.call('POST', '/spoken/ai-sdk/chat/chat-1/stop')).status).toBe(204);
  });

  it('streams an OpenAI response, returns it whole, and refuses an unknown model', async () => {
    const server = await serve({ prefix: 'spoken' });
    const client = new OpenAI({ baseURL: server.url('/spoken/openai/v1'), apiKey: 'none', maxRetries: 0 });
    const ask = { model: 'scripted', input: 'hello' };
    expect((await client.responses.stream(ask).finalResponse()).output_text).toBe(WORDS);
    expect((await client.responses.create(ask)).output_text).toBe(WORDS);
    const refused = client.responses.create({ ...ask, model: 'gpt-9' });
    await expect(refused).rejects.toBeInstanceOf(APIError);
    await expect(refused).rejects.toMatchObject({ status: 400, code: 'AGENT_UNKNOWN' });
  });

  it('runs and connects AG-UI clients', async () => {
    const server = await serve({ prefix: 'spoken' });
    const agent = new HttpAgent({ url: server.url('/spoken/ag-ui'), threadId: 'thread-1' });
    agent.addMessage({ id: 'q', role: 'user', content: 'hello' });
    await agent.runAgent();
    expect(agent.messages.at(-1)?.content).toBe(WORDS);
    const viewer = new HttpAgent({ url: server.url('/spoken/ag-ui/connect'), threadId: 'thread-1' });
    await viewer.runAgent();
    expect(viewer.messages).toEqual(agent.messages);
  });

  it("submits through LangGraph's StreamController", async () => {
    const server = await serve({ prefix: 'spoken' });
    const client = new Client({ apiUrl: server.url('/spoken/langgraph'), apiKey: null });
    const controller = new StreamController({ assistantId: 'scripted', client });
    await controller.submit({ messages: [{ type: 'human', content: 'hello' }] });
    const { threadId, error } = controller.rootStore.getSnapshot();
    expect(error).toBeUndefined();
    await controller.dispose();
    const { body } = await server.call('GET', `/spoken/langgraph/threads/${threadId}/state`);
    expect(body).toMatchObject({ values: { messages: [{ content: 'hello' }, { content: WORDS }] } });
  });

  it('streams a LangGraph run, joins it, and resumes it after a Last-Event-ID', async () => {
    const server = await serve({ prefix: 'spoken' });
    const { runs } = new Client({ apiUrl: server.url('/spoken/langgraph'), apiKey: null });
    const input = { messages: [{ type: 'human', content: 'hello' }] };
    const streamMode = ['values', 'messages-tuple'] as const;
    const chunks = await collected(runs.stream(null, 'scripted', { input, streamMode: [...streamMode] }));
    const { run_id, thread_id } = chunks[0]!.data as { run_id: string; thread_id: string };
    const joined = { streamMode: [...streamMode] };
    expect(await collected(runs.joinStream(thread_id, run_id, joined))).toEqual(chunks);
    const { id: lastEventId } = chunks.at(-2) as { id: string };
    expect(await collected(runs.joinStream(thread_id, run_id, { ...joined, lastEventId }))).toEqual(
      chunks.slice(-1),
    );
  });

  it('serves the A2A card, a message, and an error for an unknown task', async () => {
    const server = await serve({ prefix: 'spoken' });
    const client = await new ClientFactory().createFromUrl(server.url('/spoken/a2a/'));
    const call = { jsonrpc: '2.0', id: 1, method: 'SendMessage' };
    const params = { message: { messageId: 'm1', role: 'ROLE_USER', parts: [{ text: 'hello' }] } };
    const { body } = await server.call('POST', '/spoken/a2a', { body: { ...call, params } });
    expect(body).toMatchObject({ result: { task: { artifacts: [{ parts: [{ text: WORDS }] }] } } });
    const unknown = { tenant: '', id: 'nothing', historyLength: undefined };
    await expect(client.getTask(unknown)).rejects.toThrow("There is no run 'nothing'");
  });

  it('serves no protocol unless the host asks for it', async () => {
    const server = await serve();
    expect((await server.call('GET', '/protocols/openai/v1/models')).status).toBe(404);
  });
});

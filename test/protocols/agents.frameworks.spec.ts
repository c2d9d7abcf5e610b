import { describe, expect, it } from '@jest/globals';
import { ClientFactory } from '@a2a-js/sdk/client';
import { HttpAgent } from '@ag-ui/client';
import { Client } from '@langchain/langgraph-sdk';
import { StreamController } from '@langchain/langgraph-sdk/stream';
import { ChatModule } from '../../src/chat/chat.module.js';
import { MemoryStorage } from '../../src/storage/memory/memory.storage.js';
import { ScriptedAgent } from '../../src/testing/scripted.agent.js';
import { FRAMEWORKS, hostServers } from '../embedding/host.server.js';
import { nineWords } from '../support/plays.js';

const WORDS = 'thequickbrownfoxjumpsoverthelazydog';

describe.each(FRAMEWORKS)('on %s, below a prefix of the host,', (framework) => {
  const start = hostServers();
  const serve = () =>
    start(
      ChatModule.forRoot({
        storage: new MemoryStorage(),
        agents: () => [new ScriptedAgent(nineWords)],
        auth: { kind: 'local' },
        protocols: { prefix: 'spoken' },
        drainMs: 0,
      }),
      { framework },
    );

  it('AG-UI clients run and connect', async () => {
    const server = await serve();
    const agent = new HttpAgent({ url: server.url('/spoken/ag-ui'), threadId: 'thread-1' });
    agent.addMessage({ id: 'q', role: 'user', content: 'hello' });
    await agent.runAgent();
    expect(agent.messages.at(-1)?.content).toBe(WORDS);
    const viewer = new HttpAgent({ url: server.url('/spoken/ag-ui/connect'), threadId: 'thread-1' });
    await viewer.runAgent();
    expect(viewer.messages).toEqual(agent.messages);
  });

  it('LangGraph clients submit', async () => {
    const server = await serve();
    const client = new Client({ apiUrl: server.url('/spoken/langgraph'), apiKey: null });
    const controller = new StreamController({ assistantId: 'scripted', client });
    await controller.submit({ messages: [{ type: 'human', content: 'hello' }] });
    const { threadId, error } = controller.rootStore.getSnapshot();
    expect(error).toBeUndefined();
    await controller.dispose();
    const { body } = await server.call('GET', `/spoken/langgraph/threads/${threadId}/state`);
    expect(body).toMatchObject({ values: { messages: [{ content: 'hello' }, { content: WORDS }] } });
  });

  it('A2A clients find the card, send, and are refused', async () => {
    const server = await serve();
    const client = await new ClientFactory().createFromUrl(server.url('/spoken/a2a/'));
    const call = { jsonrpc: '2.0', id: 1, method: 'SendMessage' };
    const params = { message: { messageId: 'm1', role: 'ROLE_USER', parts: [{ text: 'hello' }] } };
    const { body } = await server.call('POST', '/spoken/a2a', { body: { ...call, params } });
    expect(body).toMatchObject({ result: { task: { artifacts: [{ parts: [{ text: WORDS }] }] } } });
    const unknown = { tenant: '', id: 'nothing', historyLength: undefined };
    await expect(client.getTask(unknown)).rejects.toThrow("There is no run 'nothing'");
  });
});

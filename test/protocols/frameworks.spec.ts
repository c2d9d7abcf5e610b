import { describe, expect, it } from '@jest/globals';
import OpenAI, { APIError } from 'openai';
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

  it('the AI SDK routes stream, and answer what is over with 204', async () => {
    const server = await serve();
    const message = { role: 'user', parts: [{ type: 'text', text: 'hello' }] };
    const response = await fetch(server.url('/spoken/ai-sdk/chat'), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ id: 'chat-1', message }),
    });
    expect(response.headers.get('x-vercel-ai-ui-message-stream')).toBe('v1');
    expect(await response.text()).toMatch(/"type":"finish".*\n\nid: .*\ndata: \[DONE\]\n\n$/s);
    expect((await server.call('GET', '/spoken/ai-sdk/chat/chat-1/stream')).status).toBe(204);
    expect((await server.call('POST', '/spoken/ai-sdk/chat/chat-1/stop')).status).toBe(204);
  });

  it('the OpenAI routes stream, answer whole, and refuse', async () => {
    const server = await serve();
    const client = new OpenAI({ baseURL: server.url('/spoken/openai/v1'), apiKey: 'none', maxRetries: 0 });
    const ask = { model: 'scripted', input: 'hello' };
    expect((await client.responses.stream(ask).finalResponse()).output_text).toBe(WORDS);
    expect((await client.responses.create(ask)).output_text).toBe(WORDS);
    const refused = client.responses.create({ ...ask, model: 'gpt-9' });
    await expect(refused).rejects.toBeInstanceOf(APIError);
    await expect(refused).rejects.toMatchObject({ status: 400, code: 'AGENT_UNKNOWN' });
  });

  it('no protocol is served to a host that asks for none', async () => {
    const server = await start(
      ChatModule.forRoot({
        storage: new MemoryStorage(),
        agents: () => [new ScriptedAgent(nineWords)],
        auth: { kind: 'local' },
        drainMs: 0,
      }),
      { framework },
    );
    expect((await server.call('GET', '/protocols/openai/v1/models')).status).toBe(404);
  });
});

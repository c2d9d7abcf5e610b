import { describe, expect, it } from '@jest/globals';
import type { AgentContext } from '../src/agents/agent.js';
import type { NewFile } from '../src/events/message-part.js';
import { ChatModule } from '../src/chat/chat.module.js';
import { ChatService } from '../src/client/index.js';
import { ScriptedAgent } from '../src/testing/scripted.agent.js';
import { createChat, SDKS } from './protocols/ai-sdk-chat.js';
import { FRAMEWORKS, hostServers } from './embedding/host.server.js';
import { chatServers, type Play } from './support/chat.server.js';
import { defaultStorage } from './support/storages.js';

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

/** Gives these files, in one step. */
const giving =
  (...files: readonly NewFile[]): Play =>
  async (_, context: AgentContext) => {
    const step = { stepId: 'step', name: 'draw', attempt: context.attempt };
    void context.emit({ type: 'step-start', ...step });
    for (const [index, file] of files.entries()) {
      const facts = await context.keepFile!(file);
      const { messageId } = context;
      void context.emit({ type: 'file', partId: `p${index}`, messageId, stepId: step.stepId, ...facts });
    }
    void context.emit({ type: 'step-end', ...step });
  };

const IMAGE: NewFile = { data: PNG, name: 'a "dot" é.png' };
const PAGE: NewFile = { data: Buffer.from('<script>alert(1)</script>'), mediaType: 'text/html' };

describe('a file of an answer', () => {
  const serve = chatServers();

  it('is there for its owner, cannot be run, and is gone with its thread', async () => {
    const server = await serve({ play: giving(IMAGE, PAGE) });
    const run = await server.finishedRun();
    const [image, page] = run.events
      .filter(({ event }) => event === 'file')
      .map(({ data }) => String(data['fileId']));
    expect(run.text + JSON.stringify(run.events)).not.toContain(PNG.toString('base64').slice(0, 30));

    const shown = await fetch(`${server.url}/files/${image}`);
    expect(Buffer.from(await shown.arrayBuffer())).toEqual(PNG);
    expect(Object.fromEntries(shown.headers)).toMatchObject({
      'content-type': 'image/png',
      'content-disposition': "inline; filename*=UTF-8''a%20%22dot%22%20%C3%A9.png",
      'content-length': String(PNG.length),
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    });
    const download = await fetch(`${server.url}/files/${page}`);
    expect(Object.fromEntries(download.headers)).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-disposition': 'attachment',
    });

    const { threadId } = (await server.call('GET', `/runs/${run.runId}`)).body as { threadId: string };
    expect((await server.call('DELETE', `/threads/${threadId}`)).status).toBe(204);
    expect((await server.call('GET', `/files/${image}`)).body).toMatchObject({ code: 'NOT_FOUND' });
    expect((await server.call('GET', '/files/..%2f..')).status).toBe(404);
  });

  it('is not there for anybody else', async () => {
    const keys = ['ann', 'ben'].map((userId) => ({
      key: `${userId}-with-enough-characters`,
      userId,
      tenant: 'acme',
    }));
    const server = await serve({ play: giving(IMAGE), auth: { kind: 'credentials', apiKeys: keys } });
    const [ann, ben] = keys.map(({ key }) => ({ 'x-api-key': key }));
    const stream = await server.ask({ message: 'Draw!' }, ann);
    const { fileId } = (await stream.frame('file')).data;
    const path = `/files/${String(fileId)}`;
    expect((await fetch(`${server.url}${path}`, { headers: ann })).status).toBe(200);
    expect((await server.call('GET', path, undefined, ben)).body).toMatchObject({ code: 'NOT_FOUND' });
    expect((await server.call('GET', path)).status).toBe(401);
  });

  it('is left out with the reason when it is beyond the limits of the module', async () => {
    const large: NewFile = { data: Buffer.alloc(2_000) };
    const server = await serve({
      play: giving(large, { ...IMAGE, data: Buffer.concat([PNG, Buffer.alloc(50)]) }, IMAGE),
      files: { maxFileBytes: 1_000, maxOwnerBytes: 150 },
    });
    const run = await server.finishedRun();
    const files = run.events.filter(({ event }) => event === 'file').map(({ data }) => data);
    expect(files).toMatchObject([
      { bytes: 2_000, omitted: 'too-large' },
      { mediaType: 'image/png', fileId: expect.any(String) },
      { mediaType: 'image/png', omitted: 'no-room' },
    ]);
  });

  it.each(SDKS)('is a part with an address in AI SDK %s', async (_, sdk) => {
    const server = await serve({ play: giving(IMAGE), protocols: {} });
    const chat = createChat(sdk)({ url: server.origin });
    await chat.sendMessage({ text: 'Draw!' });
    expect(chat.errors).toEqual([]);
    const [file] = chat.lastMessage?.parts.filter((part) => part.type === 'file') ?? [];
    expect(file).toMatchObject({ type: 'file', mediaType: 'image/png' });
    const response = await fetch(new URL(file!.url, server.origin));
    expect(Buffer.from(await response.arrayBuffer())).toEqual(PNG);
    const stored = await fetch(`${server.origin}/protocols/ai-sdk/chat/chat-1/messages`);
    const [, answer] = (await stored.json()) as NonNullable<typeof chat.lastMessage>[];
    expect(answer?.parts.find((part) => part.type === 'file')).toEqual(file);
    // What the client sends along does not stand in the way of the next question.
    await chat.sendMessage({ text: 'Again!' });
    expect(chat.errors).toEqual([]);
  });
});

describe.each(FRAMEWORKS)('a file of an answer on %s', (framework) => {
  const start = hostServers();

  it('is served by its route, and by the client library', async () => {
    const module = ChatModule.forRoot({
      storage: defaultStorage(),
      agents: () => [new ScriptedAgent(giving(IMAGE))],
      auth: { kind: 'local' },
      drainMs: 0,
    });
    const server = await start(module, { framework });
    const asked = await server.ask();
    const { fileId } = (await asked.frame('file')).data;
    await asked.closed();
    const chat = new ChatService({ baseUrl: server.url('/api/chat') });
    const file = await chat.file(String(fileId));
    expect(file.type).toBe('image/png');
    expect(Buffer.from(await file.arrayBuffer())).toEqual(PNG);
    await expect(chat.file('none')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const { headers } = await fetch(chat.fileUrl(String(fileId)));
    expect(headers.get('content-security-policy')).toBe("default-src 'none'; sandbox");
  });
});

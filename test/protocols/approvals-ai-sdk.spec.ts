import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { SqliteStorage } from '../../src/storage/sqlite/sqlite.storage.js';
import { gate, type ChatServer } from '../support/chat.server.js';
import { until } from '../support/until.js';
import { listParts } from '../../src/protocols/ai-sdk/ai-sdk.testing.js';
import { createChat, plain, SDKS, readText, listTools } from './ai-sdk-chat.js';
import { payingServers, listRuns } from './approvals.server.js';
import { postJson } from '../support/post-json.js';

const toRoot = (server: ChatServer) => new URL(server.url).origin;

describe.each(SDKS)('approvals in AI SDK %s', (_version, sdk) => {
  const serve = payingServers();
  const newChat = createChat(sdk);
  type Chat = ReturnType<typeof newChat>;

  const chatWith = (server: ChatServer, options: Partial<Parameters<typeof newChat>[0]> = {}) =>
    newChat({
      url: toRoot(server),
      sendAutomaticallyWhen: sdk.lastAssistantMessageIsCompleteWithApprovalResponses,
      ...options,
    });

  /** As a component answers it that shows the part. */
  async function answer(chat: Chat, index: number, approved: boolean, reason?: string) {
    const part = listTools(chat.lastMessage)[index];
    const id = part?.approval?.id ?? 'none';
    await chat.addToolApprovalResponse({ id, approved, ...(reason && { reason }) });
  }

  const states = (chat: Chat) => listTools(chat.lastMessage).map(({ state }) => state);
  const settled = (chat: Chat, text: string) =>
    until(
      () => chat.status === 'error' || (chat.status === 'ready' && readText(chat.lastMessage).includes(text)),
    );

  async function waiting(server: ChatServer, text: string, options?: Partial<Parameters<typeof newChat>[0]>) {
    const chat = chatWith(server, options);
    await chat.sendMessage({ text });
    expect([chat.status, chat.errors]).toEqual(['ready', []]);
    return chat;
  }

  it('requests an approval in a message, and shows the result in the same message', async () => {
    const server = await serve();
    const chat = await waiting(server, 'Pay 50 and 5.');
    expect(listTools(chat.lastMessage)).toMatchObject([
      { toolName: 'pay', title: 'Paying Eve…', input: { amount: 50 }, state: 'approval-requested' },
      { state: 'output-available', output: '5 to Eve' },
    ]);
    const { id } = chat.lastMessage!;

    await answer(chat, 0, true);
    await settled(chat, '[50 to Eve]');
    expect(chat.errors).toEqual([]);
    expect(chat.messages.map(({ role }) => role)).toEqual(['user', 'assistant']);
    expect(chat.lastMessage!.id).toBe(id);
    expect(listTools(chat.lastMessage)).toMatchObject([
      { state: 'output-available', output: '50 to Eve', approval: { approved: true } },
      { state: 'output-available', output: '5 to Eve' },
    ]);
    expect(readText(chat.lastMessage)).toBe('Let me pay.[50 to Eve][5 to Eve]');

    await chat.sendMessage({ text: 'Thanks.' });
    expect(readText(chat.lastMessage)).toBe('Well.');
    expect(await listRuns(server, 'chat-1')).toHaveLength(3);
  });

  it('denies one call with a reason and makes the approved one', async () => {
    const chat = await waiting(await serve(), 'Pay 50 and 500.');
    await answer(chat, 0, true);
    expect(chat.status).toBe('ready');
    await answer(chat, 1, false, 'Too much.');
    await settled(chat, '[50 to Eve]');
    expect(states(chat)).toEqual(['output-available', 'output-denied']);
    expect(readText(chat.lastMessage)).toContain("[The call of 'pay' was not approved. Too much.]");
  });

  it('keeps the run waiting until the last of several decisions is given', async () => {
    const server = await serve();
    const chat = await waiting(server, 'Pay 50 and 500.');
    await answer(chat, 0, true);
    const before = listParts(chat.lastMessage);
    await chat.sendMessage();
    expect([chat.status, chat.errors]).toEqual(['ready', []]);
    expect(listParts(chat.lastMessage)).toEqual(before);
    expect(chat.messages).toHaveLength(2);
    expect(await listRuns(server, 'chat-1')).toHaveLength(1);

    await answer(chat, 1, true);
    await settled(chat, '[500 to Eve]');
    expect(states(chat)).toEqual(['output-available', 'output-available']);
  });

  it('continues the run once when two chats give the same decision, and refuses a different one', async () => {
    const server = await serve();
    const first = await waiting(server, 'Pay 50.');
    const messages = structuredClone(first.messages);
    const [second, contrary] = [messages, messages].map((own) =>
      chatWith(server, { messages: structuredClone(own) }),
    ) as [Chat, Chat];
    await Promise.all([answer(first, 0, true), answer(second, 0, true)]);
    await Promise.all([settled(first, '[50 to Eve]'), settled(second, '[50 to Eve]')]);
    expect(plain(second.lastMessage)).toEqual(plain(first.lastMessage));
    expect(await listRuns(server, 'chat-1')).toHaveLength(2);

    await answer(contrary, 0, false);
    await settled(contrary, 'never');
    expect(contrary.error?.message).toContain('INPUT_CLOSED');
  });

  it('accepts a decision in another process on the same storage', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'approvals-'));
    try {
      const asking = await serve({ storage: new SqliteStorage({ directory }) });
      const { messages } = await waiting(asking, 'Pay 50.');
      await asking.close();

      const answering = await serve({ storage: new SqliteStorage({ directory }) });
      const chat = chatWith(answering, { messages });
      await answer(chat, 0, true);
      await settled(chat, '[50 to Eve]');
      expect(states(chat)).toEqual(['output-available']);
      await answering.close();
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('resumes nothing while a decision is open, and the whole message once the run continues', async () => {
    const [begun, paid] = [gate(), gate()];
    const server = await serve({ hold: () => (begun.open(), paid.opened) });
    const chat = await waiting(server, 'Pay 50.');
    const before = plain(chat.messages);
    await chat.resumeStream();
    expect([chat.status, plain(chat.messages)]).toEqual(['ready', before]);

    await answer(chat, 0, true);
    await until(() => chat.status === 'submitted' || chat.status === 'streaming');
    await until(() => server.readers === 1);
    // The run that goes on is stored before there is something to resume.
    await begun.opened;
    const [user] = chat.messages;
    const viewer = newChat({ url: toRoot(server), messages: [user!] });
    const kept = newChat({ url: toRoot(server), messages: structuredClone(chat.messages) });
    const resumed = Promise.all([viewer.resumeStream(), kept.resumeStream()]);
    await until(() => listTools(viewer.lastMessage).length === 1 && kept.status === 'streaming');
    expect(states(viewer)).toEqual(['approval-requested']);
    paid.open();
    await resumed;
    await settled(chat, '[50 to Eve]');
    for (const other of [viewer, kept]) {
      expect(other.messages).toHaveLength(2);
      expect(listParts(other.lastMessage)).toEqual(listParts(chat.lastMessage));
      expect(other.lastMessage?.id).toBe(chat.lastMessage?.id);
    }
  });

  it('does not send a decision again when the continued run is stopped', async () => {
    const begun = gate();
    const never = gate();
    const server = await serve({ hold: () => (begun.open(), never.opened) });
    const chat = await waiting(server, 'Pay 50.');
    await answer(chat, 0, true);
    await begun.opened;
    await fetch(`${toRoot(server)}/protocols/ai-sdk/chat/chat-1/stop`, { method: 'POST' });
    await until(() => states(chat)[0] === 'output-error' && chat.status === 'ready');
    expect(await listRuns(server, 'chat-1')).toHaveLength(2);
  });

  it('refuses a decision that comes after the next message', async () => {
    const server = await serve();
    const chat = await waiting(server, 'Pay 50.');
    const late = chatWith(server, { messages: structuredClone(chat.messages) });
    await chat.sendMessage({ text: 'Never mind.' });
    expect(readText(chat.lastMessage)).toBe('Well.');
    await answer(late, 0, true);
    await settled(late, 'never');
    expect(late.error?.message).toContain('INPUT_CLOSED');
  });
});

describe('decisions on the AI SDK routes', () => {
  const serve = payingServers();
  const send = (server: ChatServer, ...approvals: readonly unknown[]) =>
    postJson(`${toRoot(server)}/protocols/ai-sdk/chat`, {
      id: 'chat-1',
      message: {
        role: 'assistant',
        parts: approvals.map((approval) => ({
          type: 'dynamic-tool',
          state: 'approval-responded',
          approval,
        })),
      },
    });

  it.each([
    ['in an unknown chat', { id: 'x', approved: true }, 404, 'NOT_FOUND'],
    ['without a decision', { id: 'x' }, 400, 'REQUEST_INVALID'],
    ['with a reason that is not a string', { id: 'x', approved: false, reason: 5 }, 400, 'REQUEST_INVALID'],
  ])('refuses decisions %s', async (_what, approval, status, code) => {
    const response = await send(await serve(), approval);
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([status, code]);
  });

  it('refuses all decisions when one of them is unknown or invalid', async () => {
    const server = await serve();
    const chat = createChat(SDKS[0][1])({ url: toRoot(server) });
    await chat.sendMessage({ text: 'Pay 50 and 500.' });
    const [id] = listTools(chat.lastMessage).map(({ approval }) => approval?.id);
    const yes = { id, approved: true };
    expect((await send(server, yes, { id: 'forged', approved: true })).status).toBe(404);
    expect((await send(server, yes, { id: 'long', approved: false, reason: 'x'.repeat(2000) })).status).toBe(
      400,
    );
    const { body } = await server.call('GET', '/threads/chat-1');
    expect(JSON.stringify(body)).not.toContain('"decision"');
  });
});

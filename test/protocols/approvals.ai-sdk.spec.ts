import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { SqliteStorage } from '../../src/storage/sqlite/sqlite.storage.js';
import { gate, type ChatServer } from '../support/chat.server.js';
import { until } from '../support/until.js';
import { partsOf } from '../../src/protocols/ai-sdk/ai-sdk.testing.js';
import { chatOf, plain, SDKS, textOf, toolsOf } from './ai-sdk.chat.js';
import { payingServers, runsOf } from './approvals.server.js';

const rootOf = (server: ChatServer) => new URL(server.url).origin;

describe.each(SDKS)('an approval in the AI SDK, version %s,', (_version, sdk) => {
  const serve = payingServers();
  const newChat = chatOf(sdk);
  type Chat = ReturnType<typeof newChat>;

  const chatWith = (server: ChatServer, options: Partial<Parameters<typeof newChat>[0]> = {}) =>
    newChat({
      url: rootOf(server),
      sendAutomaticallyWhen: sdk.lastAssistantMessageIsCompleteWithApprovalResponses,
      ...options,
    });

  /** As a component answers it that shows the part. */
  async function answer(chat: Chat, index: number, approved: boolean, reason?: string) {
    const part = toolsOf(chat.lastMessage)[index];
    const id = part?.approval?.id ?? 'none';
    await chat.addToolApprovalResponse({ id, approved, ...(reason && { reason }) });
  }

  const states = (chat: Chat) => toolsOf(chat.lastMessage).map(({ state }) => state);
  const settled = (chat: Chat, text: string) =>
    until(
      () => chat.status === 'error' || (chat.status === 'ready' && textOf(chat.lastMessage).includes(text)),
    );

  async function waiting(server: ChatServer, text: string, options?: Partial<Parameters<typeof newChat>[0]>) {
    const chat = chatWith(server, options);
    await chat.sendMessage({ text });
    expect([chat.status, chat.errors]).toEqual(['ready', []]);
    return chat;
  }

  it('is asked for, given, and answered in the same message', async () => {
    const server = await serve();
    const chat = await waiting(server, 'Pay 50 and 5.');
    expect(toolsOf(chat.lastMessage)).toMatchObject([
      { toolName: 'pay', title: 'Paying Eve…', input: { amount: 50 }, state: 'approval-requested' },
      { state: 'output-available', output: '5 to Eve' },
    ]);
    const { id } = chat.lastMessage!;

    await answer(chat, 0, true);
    await settled(chat, '[50 to Eve]');
    expect(chat.errors).toEqual([]);
    expect(chat.messages.map(({ role }) => role)).toEqual(['user', 'assistant']);
    expect(chat.lastMessage!.id).toBe(id);
    expect(toolsOf(chat.lastMessage)).toMatchObject([
      { state: 'output-available', output: '50 to Eve', approval: { approved: true } },
      { state: 'output-available', output: '5 to Eve' },
    ]);
    expect(textOf(chat.lastMessage)).toBe('Let me pay.[50 to Eve][5 to Eve]');

    await chat.sendMessage({ text: 'Thanks.' });
    expect(textOf(chat.lastMessage)).toBe('Well.');
    expect(await runsOf(server, 'chat-1')).toHaveLength(3);
  });

  it('is denied with a reason, and its siblings are not', async () => {
    const chat = await waiting(await serve(), 'Pay 50 and 500.');
    await answer(chat, 0, true);
    expect(chat.status).toBe('ready');
    await answer(chat, 1, false, 'Too much.');
    await settled(chat, '[50 to Eve]');
    expect(states(chat)).toEqual(['output-available', 'output-denied']);
    expect(textOf(chat.lastMessage)).toContain("[The call of 'pay' was not approved. Too much.]");
  });

  it('is noted while others are missing, and nothing goes on', async () => {
    const server = await serve();
    const chat = await waiting(server, 'Pay 50 and 500.');
    await answer(chat, 0, true);
    const before = partsOf(chat.lastMessage);
    await chat.sendMessage();
    expect([chat.status, chat.errors]).toEqual(['ready', []]);
    expect(partsOf(chat.lastMessage)).toEqual(before);
    expect(chat.messages).toHaveLength(2);
    expect(await runsOf(server, 'chat-1')).toHaveLength(1);

    await answer(chat, 1, true);
    await settled(chat, '[500 to Eve]');
    expect(states(chat)).toEqual(['output-available', 'output-available']);
  });

  it('goes on once, however often and by whomever it is given', async () => {
    const server = await serve();
    const first = await waiting(server, 'Pay 50.');
    const messages = structuredClone(first.messages);
    const [second, contrary] = [messages, messages].map((own) =>
      chatWith(server, { messages: structuredClone(own) }),
    ) as [Chat, Chat];
    await Promise.all([answer(first, 0, true), answer(second, 0, true)]);
    await Promise.all([settled(first, '[50 to Eve]'), settled(second, '[50 to Eve]')]);
    expect(plain(second.lastMessage)).toEqual(plain(first.lastMessage));
    expect(await runsOf(server, 'chat-1')).toHaveLength(2);

    await answer(contrary, 0, false);
    await settled(contrary, 'never');
    expect(contrary.error?.message).toContain('APPROVAL_CLOSED');
  });

  it('may be answered by another process', async () => {
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

  it('is nothing to resume while it waits, and resumed with all of the message when it goes on', async () => {
    const paid = gate();
    const server = await serve({ hold: () => paid.opened });
    const chat = await waiting(server, 'Pay 50.');
    const before = plain(chat.messages);
    await chat.resumeStream();
    expect([chat.status, plain(chat.messages)]).toEqual(['ready', before]);

    await answer(chat, 0, true);
    await until(() => chat.status === 'submitted' || chat.status === 'streaming');
    await until(() => server.readers === 1);
    const [user] = chat.messages;
    const viewer = newChat({ url: rootOf(server), messages: [user!] });
    const kept = newChat({ url: rootOf(server), messages: structuredClone(chat.messages) });
    const resumed = Promise.all([viewer.resumeStream(), kept.resumeStream()]);
    await until(() => toolsOf(viewer.lastMessage).length === 1 && kept.status === 'streaming');
    expect(states(viewer)).toEqual(['approval-requested']);
    paid.open();
    await resumed;
    await settled(chat, '[50 to Eve]');
    for (const other of [viewer, kept]) {
      expect(other.messages).toHaveLength(2);
      expect(partsOf(other.lastMessage)).toEqual(partsOf(chat.lastMessage));
      expect(other.lastMessage?.id).toBe(chat.lastMessage?.id);
    }
  });

  it('is not sent again when the run is stopped that would have made the call', async () => {
    const begun = gate();
    const never = gate();
    const server = await serve({ hold: () => (begun.open(), never.opened) });
    const chat = await waiting(server, 'Pay 50.');
    await answer(chat, 0, true);
    await begun.opened;
    await fetch(`${rootOf(server)}/protocols/ai-sdk/chat/chat-1/stop`, { method: 'POST' });
    await until(() => states(chat)[0] === 'output-error' && chat.status === 'ready');
    expect(await runsOf(server, 'chat-1')).toHaveLength(2);
  });

  it('is closed by the next message, for who answers too late', async () => {
    const server = await serve();
    const chat = await waiting(server, 'Pay 50.');
    const late = chatWith(server, { messages: structuredClone(chat.messages) });
    await chat.sendMessage({ text: 'Never mind.' });
    expect(textOf(chat.lastMessage)).toBe('Well.');
    await answer(late, 0, true);
    await settled(late, 'never');
    expect(late.error?.message).toContain('APPROVAL_CLOSED');
  });
});

describe('answers to approvals on the AI SDK routes', () => {
  const serve = payingServers();
  const send = (server: ChatServer, ...approvals: readonly unknown[]) =>
    fetch(`${rootOf(server)}/protocols/ai-sdk/chat`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        id: 'chat-1',
        message: {
          role: 'assistant',
          parts: approvals.map((approval) => ({
            type: 'dynamic-tool',
            state: 'approval-responded',
            approval,
          })),
        },
      }),
    });

  it.each([
    ['in a chat of nobody', { id: 'x', approved: true }, 404, 'NOT_FOUND'],
    ['that decide nothing', { id: 'x' }, 400, 'REQUEST_INVALID'],
    ['with a reason that is none', { id: 'x', approved: false, reason: 5 }, 400, 'REQUEST_INVALID'],
  ])('are refused %s', async (_what, approval, status, code) => {
    const response = await send(await serve(), approval);
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([status, code]);
  });

  it('are refused together, to an approval that was never asked for and with one that does not fit', async () => {
    const server = await serve();
    const chat = chatOf(SDKS[0][1])({ url: rootOf(server) });
    await chat.sendMessage({ text: 'Pay 50 and 500.' });
    const [id] = toolsOf(chat.lastMessage).map(({ approval }) => approval?.id);
    const yes = { id, approved: true };
    expect((await send(server, yes, { id: 'forged', approved: true })).status).toBe(404);
    expect((await send(server, yes, { id: 'long', approved: false, reason: 'x'.repeat(2000) })).status).toBe(
      400,
    );
    const { body } = await server.call('GET', '/threads/chat-1');
    expect(JSON.stringify(body)).not.toContain('"decision"');
  });
});

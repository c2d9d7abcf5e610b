import { describe, expect, it } from '@jest/globals';
import { Role, TaskState, type ListTasksRequest } from '@a2a-js/sdk';
import type { Client } from '@a2a-js/sdk/client';
import { type ChatServer } from '../support/chat.server.js';
import { EventStream } from '../support/event-stream.js';
import { everything, nineWords, overloaded, twoPart } from '../support/plays.js';
import { CLIENTS, toId, toMessage, Seen, watch, readText } from './a2a-clients.js';
import { demoServers } from './demo.server.js';
import { protocolServers } from './protocol-servers.js';

const start = protocolServers();
const startDemo = demoServers();
const LIST: ListTasksRequest = {
  tenant: '',
  contextId: '',
  status: TaskState.TASK_STATE_UNSPECIFIED,
  pageToken: '',
  statusTimestampAfter: undefined,
};
const ask = (client: Client, text: string, names = {}) =>
  watch(client.sendMessageStream(toMessage(text, names)));

describe.each(CLIENTS)('client @a2a-js/sdk %s', (_version, connect) => {
  const connectTo = (server: ChatServer) => connect(server.origin);

  it('reads the card, calls a tool, and sends a second message in the same context', async () => {
    const client = await connect(await startDemo());
    const first = await ask(client, 'What is 6 times 7?');
    expect(first.text).toContain('42');
    expect(first.states).toEqual(['TASK_STATE_WORKING', 'TASK_STATE_COMPLETED']);
    expect(first.metadata).toContain('tool-end');

    const { contextId } = first;
    const second = await ask(client, 'Which countries border Austria?', { contextId });
    expect(second.text).toContain('Italy');
    expect(second.contextId).toBe(contextId);
    expect(second.taskId).not.toBe(first.taskId);
  });

  it('resubscribes to a task after a cut, and gets its whole text once', async () => {
    const { play, middle, onward } = twoPart();
    const client = await connectTo(await start(play));
    const before = new Seen();
    for await (const update of client.sendMessageStream(toMessage('Go.'))) {
      before.take(update);
      if (before.text === 'Half ') break;
    }
    await middle.opened;
    const after = new Seen();
    for await (const update of client.resubscribeTask(toId(before.taskId))) {
      after.take(update);
      onward.open();
    }
    expect(after.text).toBe('Half and half.');
    expect(after.states).toEqual(['TASK_STATE_WORKING', 'TASK_STATE_COMPLETED']);
  });

  it('returns the running task for a repeated message, with the same text', async () => {
    const { play, middle, onward } = twoPart();
    const client = await connectTo(await start(play));
    const first = ask(client, 'Go.', { messageId: 'message-1', contextId: 'context-1' });
    await middle.opened;
    const again = ask(client, 'Go.', { messageId: 'message-1', contextId: 'context-1' });
    onward.open();
    const [one, other] = await Promise.all([first, again]);
    expect([other.taskId, other.text]).toEqual([one.taskId, one.text]);
    expect(one.text).toBe('Half and half.');
  });

  it('sends a message without a stream, and reads the same task afterwards', async () => {
    const client = await connectTo(await start(everything));
    const task = await client.sendMessage(toMessage('Go.'));
    if (!('artifacts' in task)) throw new Error('A task was expected.');
    expect(TaskState[task.status?.state ?? -1]).toBe('TASK_STATE_COMPLETED');
    expect(task.artifacts.map(readText)).toEqual(['Let me\nlook that\r\nup… \u2028🙂', 'Here it is.']);
    expect(await client.getTask(toId(task.id))).toEqual(task);
    await expect(client.resubscribeTask(toId(task.id)).next()).rejects.toThrow('has ended');
    await expect(client.cancelTask(toId(task.id))).rejects.toThrow('has ended');
  });

  it('cancels a task and keeps the partial text', async () => {
    const { play, middle } = twoPart();
    const client = await connectTo(await start(play));
    const seen = new Seen();
    const asked = watch(client.sendMessageStream(toMessage('Go.')), seen);
    await middle.opened;
    while (seen.taskId === '') await new Promise((resolve) => setImmediate(resolve));
    const task = await client.cancelTask(toId(seen.taskId));
    expect(TaskState[task.status?.state ?? -1]).toBe('TASK_STATE_CANCELED');
    await asked;
    expect([seen.text, seen.states.at(-1)]).toEqual(['Half ', 'TASK_STATE_CANCELED']);
  });

  it('reports a failed run with its public message only', async () => {
    const client = await connectTo(await start(overloaded));
    const task = await client.sendMessage(toMessage('Go.'));
    if (!('status' in task)) throw new Error('A task was expected.');
    expect(TaskState[task.status?.state ?? -1]).toBe('TASK_STATE_FAILED');
    expect(readText(task.status!.message!)).toBe('The model is busy.');
  });

  it('reads the card without credentials, and gets 401 from every other call', async () => {
    const secret = 'x'.repeat(32);
    const client = await connectTo(
      await start(nineWords, { auth: { kind: 'credentials', jwt: { secret } } }),
    );
    await expect(ask(client, 'Go.')).rejects.toThrow('401');
    await expect(client.getTask(toId('nothing'))).rejects.toThrow('401');
  });

  it('throws when the server closes in the middle of a task', async () => {
    const { play, middle } = twoPart();
    const server = await start(play);
    const client = await connectTo(server);
    const asked = ask(client, 'Go.');
    await middle.opened;
    void server.close();
    await expect(asked).rejects.toThrow();
  });
});

describe('A2A routes', () => {
  const connectTo = (server: ChatServer) => CLIENTS[0]![1](server.origin);

  it('serves the same agent card at the root and below the A2A calls', async () => {
    const server = await start(nineWords);
    const calls = `${server.origin}/protocols/a2a`;
    const cards = await Promise.all(
      [server.origin, calls].map(async (root) => (await fetch(`${root}/.well-known/agent-card.json`)).json()),
    );
    expect(cards[0]).toEqual(cards[1]);
    expect(cards[0]).toMatchObject({
      name: 'scripted',
      supportedInterfaces: [
        { url: calls, protocolVersion: '1.0' },
        { url: calls, protocolVersion: '0.3' },
      ],
    });
  });

  it('lists tasks page by page, by context, status and time', async () => {
    const client = await connectTo(await start(nineWords));
    const asked: Seen[] = [];
    for (const contextId of ['one', 'two', 'one', 'two', 'two'])
      asked.push(await ask(client, 'Go.', { contextId }));
    const [a, b, c, d, e] = asked.map(({ taskId }) => taskId);
    const readPages = async (filter: Partial<ListTasksRequest>) => {
      const pages: string[][] = [];
      let pageToken = '';
      do {
        const page = await client.listTasks({ ...LIST, ...filter, pageToken });
        pages.push(page.tasks.map(({ id }) => id));
        pageToken = page.nextPageToken;
      } while (pageToken !== '');
      return pages.filter((page) => page.length > 0);
    };
    expect(await readPages({ contextId: 'two', pageSize: 2 })).toEqual([[e, d], [b]]);
    expect((await readPages({ pageSize: 2 })).flat()).toEqual([e, d, b, c, a]);
    expect(await readPages({})).toEqual([[e, d, b, c, a]]);
    expect(await readPages({ contextId: 'nowhere' })).toEqual([]);
    expect(await readPages({ status: TaskState.TASK_STATE_FAILED })).toEqual([]);
    expect(await readPages({ statusTimestampAfter: new Date(Date.now() + 60_000).toISOString() })).toEqual(
      [],
    );

    const { tasks, totalSize } = await client.listTasks(LIST);
    expect(totalSize).toBe(5);
    expect(tasks[0]).toMatchObject({ artifacts: [], history: [{ role: Role.ROLE_USER }] });
    expect(TaskState[tasks[0]!.status!.state]).toBe('TASK_STATE_COMPLETED');
    const whole = await client.listTasks({ ...LIST, includeArtifacts: true, historyLength: 0 });
    expect(whole.tasks[0]).toEqual({ ...(await client.getTask(toId(e!))), history: [] });
    await expect(client.listTasks({ ...LIST, pageToken: 'nonsense' })).rejects.toThrow('pageToken');
  });

  it("lists only the caller's tasks", async () => {
    const auth = {
      kind: 'host',
      getPrincipal: ({ headers }: { headers: Record<string, unknown> }) => ({
        userId: String(headers['x-user']),
        tenant: 'here',
        roles: [],
      }),
    } as const;
    const client = await connectTo(await start(nineWords, { auth }));
    const as = (user: string) => ({ serviceParameters: { 'x-user': user } });
    await client.sendMessage(toMessage('Go.', { contextId: 'mine' }), as('ada'));
    const list = async (user: string, contextId = '') =>
      (await client.listTasks({ ...LIST, contextId }, as(user))).tasks.length;
    expect(await Promise.all([list('ada'), list('eve'), list('eve', 'mine')])).toEqual([1, 0, 0]);
  });
});

describe('A2A calls', () => {
  it.each([
    ['a body that is not a call', { hello: 'world' }, {}, -32600],
    ['an unknown method', { method: 'DoIt' }, {}, -32601],
    ["another version's words", { method: 'GetTask', params: { id: 'x' } }, { 'a2a-version': '0.3' }, -32009],
    [
      'an unknown task, in 0.3',
      { method: 'tasks/get', params: { id: 'x' } },
      { 'a2a-version': '0.3' },
      -32001,
    ],
    ['a list, in 0.3', { method: 'tasks/list' }, {}, -32601],
    ['an unknown task', { method: 'GetTask', params: { id: 'x' } }, {}, -32001],
    ['a subscription to an unknown task', { method: 'SubscribeToTask', params: { id: 'x' } }, {}, -32001],
    [
      'a file',
      { method: 'SendMessage', params: { message: { messageId: 'm', parts: [{ url: 'file:///x' }] } } },
      {},
      -32602,
    ],
  ])('answers with the error code of JSON-RPC or A2A to %s', async (_what, call, headers, code) => {
    const server = await start(nineWords);
    const stream = await EventStream.open(`${server.origin}/protocols/a2a`, {
      method: 'POST',
      body: 'hello' in call ? call : { jsonrpc: '2.0', id: 7, ...call },
      headers,
    });
    await stream.closed();
    expect(stream.status).toBe(200);
    expect(JSON.parse(stream.raw)).toMatchObject({ jsonrpc: '2.0', error: { code } });
  });
});

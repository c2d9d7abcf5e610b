import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { Role, TaskState, type StreamResponse } from '@a2a-js/sdk';
import { ClientFactory, type Client } from '@a2a-js/sdk/client';
import { AppError } from '../../src/errors.js';
import { answer } from '../../src/testing/scripted.agent.js';
import {
  chatServers,
  gate,
  type ChatServer,
  type ChatServerOptions,
  type Play,
} from '../support/chat.server.js';
import { EventStream } from '../support/event-stream.js';
import { everything, nineWords, sayOneByOne } from '../support/plays.js';
import { demoServers } from './demo.server.js';

const startChat = chatServers();
const startDemo = demoServers();
const start = (play: Play, options: ChatServerOptions = {}) => startChat({ play, protocols: {}, ...options });
const originOf = (server: ChatServer) => new URL(server.url).origin;
const clientOf = (server: ChatServer) => new ClientFactory().createFromUrl(originOf(server));

const messageOf = (text: string, { messageId = crypto.randomUUID(), contextId = '', taskId = '' } = {}) => ({
  tenant: '',
  configuration: undefined,
  metadata: undefined,
  message: {
    messageId,
    contextId,
    taskId,
    role: Role.ROLE_USER,
    parts: [
      { content: { $case: 'text', value: text }, metadata: undefined, filename: '', mediaType: '' } as const,
    ],
    metadata: undefined,
    extensions: [],
    referenceTaskIds: [],
  },
});
const idOf = (id: string) => ({ tenant: '', id, historyLength: undefined, metadata: undefined });

/** What the updates of a stream add up to, for a client that keeps artifacts as the specification says. */
class Seen {
  taskId = '';
  contextId = '';
  readonly states: string[] = [];
  readonly metadata: string[] = [];
  private readonly artifacts = new Map<string, string>();

  take({ payload }: StreamResponse): void {
    switch (payload?.$case) {
      case 'task':
        this.taskId = payload.value.id;
        this.contextId = payload.value.contextId;
        this.state(payload.value.status?.state);
        for (const artifact of payload.value.artifacts)
          this.artifacts.set(artifact.artifactId, wordsOf(artifact));
        return;
      case 'statusUpdate':
        this.state(payload.value.status?.state);
        this.metadata.push(...Object.keys(payload.value.metadata ?? {}));
        return;
      case 'artifactUpdate': {
        const { artifact, append } = payload.value;
        const before = append ? (this.artifacts.get(artifact!.artifactId) ?? '') : '';
        this.artifacts.set(artifact!.artifactId, before + wordsOf(artifact!));
      }
    }
  }

  get text(): string {
    return [...this.artifacts.values()].join('');
  }

  private state(state: TaskState | undefined): void {
    const name = TaskState[state ?? -1] ?? '';
    if (this.states.at(-1) !== name) this.states.push(name);
  }
}

type Words = {
  readonly parts: readonly { readonly content?: { $case: string; value: unknown } | undefined }[];
};

function wordsOf({ parts }: Words): string {
  return parts.map(({ content }) => (content?.$case === 'text' ? String(content.value) : '')).join('');
}

async function watch(updates: AsyncIterable<StreamResponse>, seen = new Seen()): Promise<Seen> {
  for await (const update of updates) seen.take(update);
  return seen;
}

const ask = (client: Client, text: string, names = {}) =>
  watch(client.sendMessageStream(messageOf(text, names)));

/** Speaks, waits for the test, and speaks on. */
function twoPart() {
  const [middle, onward] = [gate(), gate()];
  const play: Play = async (_, context) => {
    const events = answer(context, ['Half ', 'and half.']);
    await sayOneByOne(context, events.slice(0, 3));
    middle.open();
    await Promise.race([onward.opened, once(context.signal, 'abort')]);
    if (!context.signal.aborted) await sayOneByOne(context, events.slice(3));
  };
  return { play, middle, onward };
}

describe('@a2a-js/sdk', () => {
  it('finds the card, talks with a tool, and goes on talking in the context', async () => {
    const client = await new ClientFactory().createFromUrl(await startDemo());
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

  it('finds the card below the calls as well', async () => {
    const server = await start(nineWords);
    const calls = `${originOf(server)}/protocols/a2a`;
    const cards = await Promise.all(
      [originOf(server), calls].map(async (root) =>
        (await fetch(`${root}/.well-known/agent-card.json`)).json(),
      ),
    );
    expect(cards[0]).toEqual(cards[1]);
    expect(cards[0]).toMatchObject({ name: 'scripted', supportedInterfaces: [{ url: calls }] });
  });

  it('comes back after a cut, and has nothing twice', async () => {
    const { play, middle, onward } = twoPart();
    const client = await clientOf(await start(play));
    const before = new Seen();
    for await (const update of client.sendMessageStream(messageOf('Go.'))) {
      before.take(update);
      if (before.text === 'Half ') break;
    }
    await middle.opened;
    const after = new Seen();
    for await (const update of client.resubscribeTask(idOf(before.taskId))) {
      after.take(update);
      onward.open();
    }
    expect(after.text).toBe('Half and half.');
    expect(after.states).toEqual(['TASK_STATE_WORKING', 'TASK_STATE_COMPLETED']);
  });

  it('finds the task of a repeated message, and shows a second viewer the same', async () => {
    const { play, middle, onward } = twoPart();
    const client = await clientOf(await start(play));
    const first = ask(client, 'Go.', { messageId: 'message-1', contextId: 'context-1' });
    await middle.opened;
    const again = ask(client, 'Go.', { messageId: 'message-1', contextId: 'context-1' });
    onward.open();
    const [one, other] = await Promise.all([first, again]);
    expect([other.taskId, other.text]).toEqual([one.taskId, one.text]);
    expect(one.text).toBe('Half and half.');
  });

  it('asks without a stream, and reads the task afterwards', async () => {
    const client = await clientOf(await start(everything));
    const task = await client.sendMessage(messageOf('Go.'));
    if (!('artifacts' in task)) throw new Error('A task was expected.');
    expect(TaskState[task.status?.state ?? -1]).toBe('TASK_STATE_COMPLETED');
    expect(task.artifacts.map(wordsOf)).toEqual(['Let me\nlook that\r\nup… \u2028🙂', 'Here it is.']);
    expect(await client.getTask(idOf(task.id))).toEqual(task);
    await expect(client.resubscribeTask(idOf(task.id)).next()).rejects.toThrow('has ended');
    await expect(client.cancelTask(idOf(task.id))).rejects.toThrow('has ended');
  });

  it('stops a task, and keeps what was said', async () => {
    const { play, middle } = twoPart();
    const client = await clientOf(await start(play));
    const seen = new Seen();
    const asked = watch(client.sendMessageStream(messageOf('Go.')), seen);
    await middle.opened;
    while (seen.taskId === '') await new Promise((resolve) => setImmediate(resolve));
    const task = await client.cancelTask(idOf(seen.taskId));
    expect(TaskState[task.status?.state ?? -1]).toBe('TASK_STATE_CANCELED');
    await asked;
    expect([seen.text, seen.states.at(-1)]).toEqual(['Half ', 'TASK_STATE_CANCELED']);
  });

  it('is told of a failure, in public words only', async () => {
    const client = await clientOf(
      await start(() => {
        throw new AppError('MODEL_OVERLOADED', 'The model is busy.', { cause: new Error('key sk-123') });
      }),
    );
    const task = await client.sendMessage(messageOf('Go.'));
    if (!('status' in task)) throw new Error('A task was expected.');
    expect(TaskState[task.status?.state ?? -1]).toBe('TASK_STATE_FAILED');
    expect(wordsOf(task.status!.message!)).toBe('The model is busy.');
  });

  it('reads the card without credentials, and is refused everything else', async () => {
    const secret = 'x'.repeat(32);
    const client = await clientOf(await start(nineWords, { auth: { kind: 'credentials', jwt: { secret } } }));
    await expect(ask(client, 'Go.')).rejects.toThrow('401');
    await expect(client.getTask(idOf('nothing'))).rejects.toThrow('401');
  });

  it('sees a broken connection, not an end, when the server goes away in the middle', async () => {
    const { play, middle } = twoPart();
    const server = await start(play);
    const client = await clientOf(server);
    const asked = ask(client, 'Go.');
    await middle.opened;
    void server.close();
    await expect(asked).rejects.toThrow();
  });
});

describe('A2A calls', () => {
  it.each([
    ['no call', { hello: 'world' }, {}, -32600],
    ['an unknown method', { method: 'DoIt' }, {}, -32601],
    ['an old version', { method: 'GetTask', params: { id: 'x' } }, { 'a2a-version': '0.3' }, -32009],
    ['an unknown task', { method: 'GetTask', params: { id: 'x' } }, {}, -32001],
    ['to watch an unknown task', { method: 'SubscribeToTask', params: { id: 'x' } }, {}, -32001],
    [
      'a file',
      { method: 'SendMessage', params: { message: { messageId: 'm', parts: [{ url: 'file:///x' }] } } },
      {},
      -32602,
    ],
  ])('are refused in their own words: %s', async (_what, call, headers, code) => {
    const server = await start(nineWords);
    const stream = await EventStream.open(`${originOf(server)}/protocols/a2a`, {
      method: 'POST',
      body: 'hello' in call ? call : { jsonrpc: '2.0', id: 7, ...call },
      headers,
    });
    await stream.closed();
    expect(stream.status).toBe(200);
    expect(JSON.parse(stream.raw)).toMatchObject({ jsonrpc: '2.0', error: { code } });
  });
});

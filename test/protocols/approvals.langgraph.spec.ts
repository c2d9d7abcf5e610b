import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Client, type DefaultValues } from '@langchain/langgraph-sdk';
import { StreamController } from '@langchain/langgraph-sdk/stream';
import { StreamOrchestrator } from '@langchain/langgraph-sdk/ui';
import { SqliteStorage } from '../../src/storage/sqlite/sqlite.storage.js';
import { gate, type ChatServer } from '../support/chat.server.js';
import { collected } from '../support/collected.js';
import { payingServers, runsOf } from './approvals.server.js';

const serve = payingServers();
const baseOf = (server: ChatServer) => `${new URL(server.url).origin}/protocols/langgraph`;
const human = (content: string) => ({ messages: [{ type: 'human', content }] });
const clientOf = (server: ChatServer) =>
  new Client({ apiUrl: baseOf(server), apiKey: null, callerOptions: { maxRetries: 0 } });

const approve = { decisions: [{ type: 'approve' }] };
const reject = { decisions: [{ type: 'reject', message: 'No.' }] };
const edit = {
  decisions: [{ type: 'edit', editedAction: { name: 'pay', args: { to: 'Bob', amount: 49 } } }],
};

type Hook = StreamController<DefaultValues>;
const controllers: Hook[] = [];
afterEach(async () => {
  await Promise.all(controllers.splice(0).map((controller) => controller.dispose()));
});

/** What `useStream` is made of, without React. */
function hookOf(server: ChatServer, threadId: string | null = null): Hook {
  const controller = new StreamController({
    assistantId: 'chat',
    client: clientOf(server),
    threadId,
    reconnectDelayMs: () => 0,
  });
  controllers.push(controller);
  return controller;
}

const snapshotOf = (hook: Hook) => hook.rootStore.getSnapshot();
const wordsOf = (hook: Hook) =>
  snapshotOf(hook)
    .messages.map(({ text }) => text)
    .join('|');
const idsOf = (hook: Hook) => snapshotOf(hook).messages.map(({ id }) => id);
const interruptsOf = (hook: Hook) => snapshotOf(hook).interrupts.map(({ id }) => id!);

const interruptIdOf = (hook: Hook) => interruptsOf(hook)[0] ?? 'none';

/** Resolves once the hook shows it. */
async function shows(hook: Hook, condition: () => boolean): Promise<void> {
  await new Promise<void>((resolve) => {
    const look = () => {
      if (!condition()) return;
      stop();
      resolve();
    };
    const stop = hook.rootStore.subscribe(look);
    queueMicrotask(look);
  });
}

const says = (hook: Hook, words: string) =>
  shows(hook, () => wordsOf(hook).includes(words) && !snapshotOf(hook).isLoading);

async function waiting(server: ChatServer, content: string): Promise<Hook> {
  const hook = hookOf(server);
  await hook.submit(human(content));
  await shows(hook, () => snapshotOf(hook).interrupts.length > 0 && !snapshotOf(hook).isLoading);
  return hook;
}

describe("an approval in LangGraph's event protocol", () => {
  it('is an interrupt, and goes on with the response to it', async () => {
    const server = await serve();
    const hook = await waiting(server, 'Pay 50 and 5.');
    expect(snapshotOf(hook).interrupts).toMatchObject([
      {
        value: {
          actionRequests: [{ name: 'pay', args: { to: 'Eve', amount: 50 }, description: 'Paying Eve…' }],
          reviewConfigs: [{ allowedDecisions: ['approve', 'edit', 'reject'] }],
        },
      },
    ]);
    await hook.respond(approve);
    await says(hook, '[50 to Eve][5 to Eve]');
    expect(snapshotOf(hook).interrupts).toEqual([]);
    expect(snapshotOf(hook).messages.map((message) => message.getType())).toEqual([
      'human',
      'ai',
      'tool',
      'tool',
      'ai',
    ]);

    const late = hookOf(server, snapshotOf(hook).threadId);
    await late.hydrationPromise;
    expect(idsOf(late)).toEqual(idsOf(hook));
    await hook.submit(human('Thanks.'));
    await says(hook, 'Well.');
  });

  it('may be answered for several at once, edited and rejected', async () => {
    const hook = await waiting(await serve(), 'Pay 50 and 500.');
    const [first, second] = interruptsOf(hook);
    await hook.respondAll({ [second!]: reject, [first!]: edit });
    await says(hook, "[The call of 'pay' was not approved. No.]");
    const calls = snapshotOf(hook).messages.flatMap((message) =>
      'tool_calls' in message ? (message.tool_calls as { args: unknown }[]) : [],
    );
    expect(calls.map(({ args }) => args)).toEqual([
      { to: 'Bob', amount: 49 },
      { to: 'Eve', amount: 500 },
    ]);
    expect(wordsOf(hook)).toContain('49 to Bob');
  });

  it('is noted while others are missing, and nothing goes on', async () => {
    const server = await serve();
    const hook = await waiting(server, 'Pay 50 and 500.');
    const threadId = snapshotOf(hook).threadId!;
    const [first, second] = interruptsOf(hook);
    await hook.respond(approve, { interruptId: first! });
    expect(await runsOf(server, threadId)).toHaveLength(1);
    const { tasks } = await clientOf(server).threads.getState(threadId);
    expect(tasks.flatMap(({ interrupts }) => interrupts.map(({ id }) => id))).toEqual([second]);

    await hook.respond(approve, { interruptId: second! });
    await says(hook, '[50 to Eve][500 to Eve]');
  });

  it('is shown to who opens the thread while it waits, and while it goes on', async () => {
    const [begun, paid] = [gate(), gate()];
    const server = await serve({ hold: () => (begun.open(), paid.opened) });
    const hook = await waiting(server, 'Pay 50.');
    const threadId = snapshotOf(hook).threadId!;
    const viewer = hookOf(server, threadId);
    await viewer.hydrationPromise;
    expect(interruptsOf(viewer)).toEqual(interruptsOf(hook));
    expect(await clientOf(server).threads.get(threadId)).toMatchObject({
      status: 'interrupted',
      interrupts: expect.anything(),
    });

    await viewer.respond(approve, { interruptId: interruptIdOf(viewer) });
    await begun.opened;
    const late = hookOf(server, threadId);
    await shows(late, () => snapshotOf(late).isLoading && snapshotOf(late).messages.length === 2);
    expect(snapshotOf(late).interrupts).toEqual([]);
    paid.open();
    for (const each of [hook, viewer, late]) await says(each, '[50 to Eve]');
    expect(idsOf(viewer)).toEqual(idsOf(hook));
    expect(idsOf(late)).toEqual(idsOf(hook));
  });

  it('goes on once, however often and by whomever it is answered', async () => {
    const server = await serve();
    const hook = await waiting(server, 'Pay 50.');
    const threadId = snapshotOf(hook).threadId!;
    const viewer = hookOf(server, threadId);
    await viewer.hydrationPromise;
    const interruptId = interruptIdOf(hook);
    await Promise.all([hook, viewer].map((each) => each.respond(approve, { interruptId })));
    await says(hook, '[50 to Eve]');
    await says(viewer, '[50 to Eve]');
    expect(await runsOf(server, threadId)).toHaveLength(2);
    const refused = await send(server, threadId, { interrupt_id: interruptId, response: reject });
    expect(refused).toMatchObject({ type: 'error', error: 'no_such_interrupt' });
  });

  it('is refused in words that the client tells from a broken connection', async () => {
    const server = await serve();
    const hook = await waiting(server, 'Pay 50.');
    const threadId = snapshotOf(hook).threadId!;
    const [interrupt_id] = interruptsOf(hook);
    const refusals = [
      [{ interrupt_id: 'forged', response: approve }, 'no_such_interrupt'],
      [{ interrupt_id, response: 'yes' }, 'invalid_argument'],
      [{ response: approve }, 'invalid_argument'],
      [{ interrupt_id, response: approve, goto: 'tools' }, 'invalid_argument'],
    ] as const;
    for (const [params, error] of refusals)
      expect(await send(server, threadId, params)).toMatchObject({ type: 'error', error });
    expect(await send(server, 'nowhere', { interrupt_id, response: approve })).toMatchObject({
      type: 'error',
    });
    expect(await runsOf(server, threadId)).toHaveLength(1);
  });
});

async function send(server: ChatServer, threadId: string, params: unknown): Promise<unknown> {
  const response = await fetch(`${baseOf(server)}/threads/${threadId}/commands`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ id: 1, method: 'input.respond', params }),
  });
  return response.json();
}

interface Chunk {
  readonly event: string;
  readonly data: {
    readonly messages: readonly { type: string; content: string }[];
    __interrupt__?: Interrupt[];
  };
}
interface Interrupt {
  readonly id: string;
}

describe("an approval in LangGraph's runs/stream", () => {
  const run = async (server: ChatServer, payload: object): Promise<Chunk[]> =>
    (await collected(
      clientOf(server).runs.stream('thread', 'chat', payload as never) as AsyncIterable<unknown>,
    )) as Chunk[];
  const stateIn = (chunks: readonly Chunk[]) => chunks.findLast(({ event }) => event === 'values')!.data;
  const endOf = (chunks: readonly Chunk[]) => stateIn(chunks).messages.at(-1)?.content;
  const waitingFor = async (server: ChatServer, content: string) =>
    (stateIn(await run(server, { input: human(content) })).__interrupt__ ?? []).map(({ id }) => id);

  it('is an interrupt of the state, and goes on with the decisions on all of them', async () => {
    const server = await serve();
    expect(await waitingFor(server, 'Pay 50 and 500.')).toHaveLength(2);
    const decisions = [...approve.decisions, ...reject.decisions];
    const chunks = await run(server, { command: { resume: { decisions } } });
    expect(endOf(chunks)).toBe("[50 to Eve][The call of 'pay' was not approved. No.]");
    expect(stateIn(chunks)).not.toHaveProperty('__interrupt__');
    expect(stateIn(chunks).messages.map(({ type }) => type)).toEqual(['human', 'ai', 'tool', 'tool', 'ai']);

    // Again, for who has not heard that it went on.
    expect(endOf(await run(server, { command: { resume: { decisions } } }))).toBe(endOf(chunks));
    expect(await runsOf(server, 'thread')).toHaveLength(2);
    const { tasks, next } = await clientOf(server).threads.getState('thread');
    expect([tasks, next]).toEqual([[], []]);
  });

  it('may be answered by interrupt, edited, and by another process', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'approvals-'));
    try {
      const asking = await serve({ storage: new SqliteStorage({ directory }) });
      const [id] = await waitingFor(asking, 'Pay 50.');
      await asking.close();
      const answering = await serve({ storage: new SqliteStorage({ directory }) });
      const chunks = await run(answering, { command: { resume: { [id!]: edit } } });
      expect(endOf(chunks)).toContain('"result":"49 to Bob"');
      await answering.close();
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it.each([
    ['a decision is missing', { resume: approve }, '400'],
    ['it decides nothing', { resume: 'yes' }, '400'],
    [
      'it would do more',
      { resume: { decisions: [...approve.decisions, ...approve.decisions] }, goto: 'x' },
      '400',
    ],
  ])('is refused when %s, and then nothing counts', async (_what, command, status) => {
    const server = await serve();
    await waitingFor(server, 'Pay 50 and 500.');
    await expect(run(server, { command })).rejects.toThrow(status);
    expect(await runsOf(server, 'thread')).toHaveLength(1);
  });

  it('cannot be answered when nothing waits, or something came later', async () => {
    const server = await serve();
    await expect(run(server, { command: { resume: approve } })).rejects.toThrow('404');
    await waitingFor(server, 'Pay 50.');
    await run(server, { input: human('Never mind.') });
    await expect(run(server, { command: { resume: approve } })).rejects.toThrow('409');
  });

  it('works through the useStream of that API', async () => {
    const server = await serve();
    const client = clientOf(server);
    const stream = new StreamOrchestrator<{ messages: { content: string }[] }>(
      { assistantId: 'chat', client, fetchStateHistory: false },
      { getClient: () => client, getAssistantId: () => 'chat', getMessagesKey: () => 'messages' },
    );
    stream.initThreadId(undefined);
    await stream.submit(human('Pay 50.'));
    expect(stream.interrupts).toMatchObject([{ value: { actionRequests: [{ name: 'pay' }] } }]);
    // As its documentation shows it, in JavaScript.
    await stream.submit(null as never, { command: { resume: approve } });
    expect(stream.values.messages.at(-1)?.content).toBe('[50 to Eve]');
    expect(stream.interrupts).toEqual([]);
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Client } from '@langchain/langgraph-sdk';
import { StreamOrchestrator } from '@langchain/langgraph-sdk/ui';
import { SqliteStorage } from '../../src/storage/sqlite/sqlite.storage.js';
import { gate, type ChatServer } from '../support/chat.server.js';
import { collected } from '../support/collected.js';
import { payingServers, listRuns } from './approvals.server.js';
import { getSnapshot, langGraphHooks, shows, type Hook } from './langgraph-hooks.js';
import { postJson } from '../support/post-json.js';

// Disposed of before the servers close: they reconnect at once.
const createController = langGraphHooks();
const serve = payingServers();
const toBase = (server: ChatServer) => `${new URL(server.url).origin}/protocols/langgraph`;
const human = (content: string) => ({ messages: [{ type: 'human', content }] });
const connectTo = (server: ChatServer) =>
  new Client({ apiUrl: toBase(server), apiKey: null, callerOptions: { maxRetries: 0 } });

const approve = { decisions: [{ type: 'approve' }] };
const reject = { decisions: [{ type: 'reject', message: 'No.' }] };
const edit = {
  decisions: [{ type: 'edit', editedAction: { name: 'pay', args: { to: 'Bob', amount: 49 } } }],
};

const createHook = (server: ChatServer, threadId: string | null = null): Hook =>
  createController({ assistantId: 'chat', client: connectTo(server), threadId });

const readText = (hook: Hook) =>
  getSnapshot(hook)
    .messages.map(({ text }) => text)
    .join('|');
const listIds = (hook: Hook) => getSnapshot(hook).messages.map(({ id }) => id);
const listInterrupts = (hook: Hook) => getSnapshot(hook).interrupts.map(({ id }) => id!);

const getInterruptId = (hook: Hook) => listInterrupts(hook)[0] ?? 'none';

const says = (hook: Hook, words: string) =>
  shows(hook, () => readText(hook).includes(words) && !getSnapshot(hook).isLoading);

async function waiting(server: ChatServer, content: string): Promise<Hook> {
  const hook = createHook(server);
  await hook.submit(human(content));
  await shows(hook, () => getSnapshot(hook).interrupts.length > 0 && !getSnapshot(hook).isLoading);
  return hook;
}

describe("approvals in LangGraph's event protocol", () => {
  it('shows an approval as an interrupt, and makes the call after the response', async () => {
    const server = await serve();
    const hook = await waiting(server, 'Pay 50 and 5.');
    expect(getSnapshot(hook).interrupts).toMatchObject([
      {
        value: {
          actionRequests: [{ name: 'pay', args: { to: 'Eve', amount: 50 }, description: 'Paying Eve…' }],
          reviewConfigs: [{ allowedDecisions: ['approve', 'edit', 'reject'] }],
        },
      },
    ]);
    await hook.respond(approve);
    await says(hook, '[50 to Eve][5 to Eve]');
    expect(getSnapshot(hook).interrupts).toEqual([]);
    expect(getSnapshot(hook).messages.map((message) => message.getType())).toEqual([
      'human',
      'ai',
      'tool',
      'tool',
      'ai',
    ]);

    const late = createHook(server, getSnapshot(hook).threadId);
    await late.hydrationPromise;
    expect(listIds(late)).toEqual(listIds(hook));
    await hook.submit(human('Thanks.'));
    await says(hook, 'Well.');
  });

  it('edits one call and rejects another in one response', async () => {
    const hook = await waiting(await serve(), 'Pay 50 and 500.');
    const [first, second] = listInterrupts(hook);
    await hook.respondAll({ [second!]: reject, [first!]: edit });
    await says(hook, "[The call of 'pay' was not approved. No.]");
    const calls = getSnapshot(hook).messages.flatMap((message) =>
      'tool_calls' in message ? (message.tool_calls as { args: unknown }[]) : [],
    );
    expect(calls.map(({ args }) => args)).toEqual([
      { to: 'Bob', amount: 49 },
      { to: 'Eve', amount: 500 },
    ]);
    expect(readText(hook)).toContain('49 to Bob');
  });

  it('keeps the run waiting until the last of several decisions is given', async () => {
    const server = await serve();
    const hook = await waiting(server, 'Pay 50 and 500.');
    const threadId = getSnapshot(hook).threadId!;
    const [first, second] = listInterrupts(hook);
    await hook.respond(approve, { interruptId: first! });
    expect(await listRuns(server, threadId)).toHaveLength(1);
    const { tasks } = await connectTo(server).threads.getState(threadId);
    expect(tasks.flatMap(({ interrupts }) => interrupts.map(({ id }) => id))).toEqual([second]);

    await hook.respond(approve, { interruptId: second! });
    await says(hook, '[50 to Eve][500 to Eve]');
  });

  it('shows the interrupt to a client that opens the thread, and the result once it is approved', async () => {
    const [begun, paid] = [gate(), gate()];
    const server = await serve({ hold: () => (begun.open(), paid.opened) });
    const hook = await waiting(server, 'Pay 50.');
    const threadId = getSnapshot(hook).threadId!;
    const viewer = createHook(server, threadId);
    await viewer.hydrationPromise;
    expect(listInterrupts(viewer)).toEqual(listInterrupts(hook));
    expect(await connectTo(server).threads.get(threadId)).toMatchObject({
      status: 'interrupted',
      interrupts: expect.anything(),
    });

    await viewer.respond(approve, { interruptId: getInterruptId(viewer) });
    await begun.opened;
    const late = createHook(server, threadId);
    await shows(late, () => getSnapshot(late).isLoading && getSnapshot(late).messages.length === 2);
    expect(getSnapshot(late).interrupts).toEqual([]);
    paid.open();
    for (const each of [hook, viewer, late]) await says(each, '[50 to Eve]');
    expect(listIds(viewer)).toEqual(listIds(hook));
    expect(listIds(late)).toEqual(listIds(hook));
  });

  it('continues the run once when two clients give the same decision, and refuses a different one', async () => {
    const server = await serve();
    const hook = await waiting(server, 'Pay 50.');
    const threadId = getSnapshot(hook).threadId!;
    const viewer = createHook(server, threadId);
    await viewer.hydrationPromise;
    const interruptId = getInterruptId(hook);
    await Promise.all([hook, viewer].map((each) => each.respond(approve, { interruptId })));
    await says(hook, '[50 to Eve]');
    await says(viewer, '[50 to Eve]');
    expect(await listRuns(server, threadId)).toHaveLength(2);
    const refused = await send(server, threadId, { interrupt_id: interruptId, response: reject });
    expect(refused).toMatchObject({ type: 'error', error: 'no_such_interrupt' });
  });

  it('refuses an unknown or invalid decision with an error code of the protocol', async () => {
    const server = await serve();
    const hook = await waiting(server, 'Pay 50.');
    const threadId = getSnapshot(hook).threadId!;
    const [interrupt_id] = listInterrupts(hook);
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
    expect(await listRuns(server, threadId)).toHaveLength(1);
  });
});

async function send(server: ChatServer, threadId: string, params: unknown): Promise<unknown> {
  const response = await postJson(`${toBase(server)}/threads/${threadId}/commands`, {
    id: 1,
    method: 'input.respond',
    params,
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

describe("approvals in LangGraph's runs/stream", () => {
  const run = async (server: ChatServer, payload: object): Promise<Chunk[]> =>
    (await collected(
      connectTo(server).runs.stream('thread', 'chat', {
        ifNotExists: 'create',
        ...payload,
      } as never) as AsyncIterable<unknown>,
    )) as Chunk[];
  const stateIn = (chunks: readonly Chunk[]) => chunks.findLast(({ event }) => event === 'values')!.data;
  const readEnd = (chunks: readonly Chunk[]) => stateIn(chunks).messages.at(-1)?.content;
  const waitingFor = async (server: ChatServer, content: string) =>
    (stateIn(await run(server, { input: human(content) })).__interrupt__ ?? []).map(({ id }) => id);

  it('shows approvals as interrupts of the state, and continues with the decisions on all calls', async () => {
    const server = await serve();
    expect(await waitingFor(server, 'Pay 50 and 500.')).toHaveLength(2);
    const decisions = [...approve.decisions, ...reject.decisions];
    const chunks = await run(server, { command: { resume: { decisions } } });
    expect(readEnd(chunks)).toBe("[50 to Eve][The call of 'pay' was not approved. No.]");
    expect(stateIn(chunks)).not.toHaveProperty('__interrupt__');
    expect(stateIn(chunks).messages.map(({ type }) => type)).toEqual(['human', 'ai', 'tool', 'tool', 'ai']);

    // Again, for who has not heard that it went on.
    expect(readEnd(await run(server, { command: { resume: { decisions } } }))).toBe(readEnd(chunks));
    expect(await listRuns(server, 'thread')).toHaveLength(2);
    const { tasks, next } = await connectTo(server).threads.getState('thread');
    expect([tasks, next]).toEqual([[], []]);
  });

  it('accepts an edited call by interrupt id in another process on the same storage', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'approvals-'));
    try {
      const asking = await serve({ storage: new SqliteStorage({ directory }) });
      const [id] = await waitingFor(asking, 'Pay 50.');
      await asking.close();
      const answering = await serve({ storage: new SqliteStorage({ directory }) });
      const chunks = await run(answering, { command: { resume: { [id!]: edit } } });
      expect(readEnd(chunks)).toContain('"result":"49 to Bob"');
      await answering.close();
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it.each([
    ['a decision is missing', { resume: approve }, '400'],
    ['it contains no decision', { resume: 'yes' }, '400'],
    [
      'it contains a goto',
      { resume: { decisions: [...approve.decisions, ...approve.decisions] }, goto: 'x' },
      '400',
    ],
  ])('refuses a command and records no decision when %s', async (_what, command, status) => {
    const server = await serve();
    await waitingFor(server, 'Pay 50 and 500.');
    await expect(run(server, { command })).rejects.toThrow(status);
    expect(await listRuns(server, 'thread')).toHaveLength(1);
  });

  it('answers 404 when no decision is open, and 409 to a decision after a later message', async () => {
    const server = await serve();
    await expect(run(server, { command: { resume: approve } })).rejects.toThrow('404');
    await waitingFor(server, 'Pay 50.');
    await run(server, { input: human('Never mind.') });
    await expect(run(server, { command: { resume: approve } })).rejects.toThrow('409');
  });

  it('approves a call through the legacy useStream', async () => {
    const server = await serve();
    const client = connectTo(server);
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

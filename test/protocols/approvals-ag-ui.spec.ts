import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { HttpAgent, type Message, type ResumeEntry } from '@ag-ui/client';
import { HttpAgent as OldHttpAgent } from 'ag-ui-client-v0';
import { SqliteStorage } from '../../src/storage/sqlite/sqlite.storage.js';
import { gate, type ChatServer } from '../support/chat.server.js';
import { EventStream } from '../support/event-stream.js';
import { payingServers, listRuns } from './approvals.server.js';
import { postJson } from '../support/post-json.js';

const CLIENTS = [
  ['1.0', HttpAgent],
  ['0.0.59', OldHttpAgent as unknown as typeof HttpAgent],
] as const;

const THREAD = 'thread-1';
const serve = payingServers();
const toRunUrl = (server: ChatServer) => `${new URL(server.url).origin}/protocols/ag-ui`;

interface Interrupt {
  readonly id: string;
  readonly toolCallId: string;
  readonly message: string;
}

/** Asks, and collects what the agent wants to know from a person. */
class Person {
  interrupts: readonly Interrupt[] = [];
  outcomes: (string | undefined)[] = [];

  constructor(readonly agent: HttpAgent) {
    agent.subscribe({
      onRunFinishedEvent: ({ event }) => {
        const outcome = event.outcome as { type?: string; interrupts?: Interrupt[] } | undefined;
        this.outcomes.push(outcome?.type);
        this.interrupts = outcome?.interrupts ?? [];
      },
    });
  }

  async ask(content: string): Promise<void> {
    this.agent.addMessage({ id: `user-${this.agent.messages.length}`, role: 'user', content });
    await this.agent.runAgent();
  }

  /** Answers the interrupts in their order; none for one that is left open. */
  async answer(...payloads: readonly (object | 'cancelled' | undefined)[]): Promise<void> {
    const resume = this.interrupts.flatMap(({ id: interruptId }, index): ResumeEntry[] => {
      const payload = payloads[index];
      if (payload === undefined) return [];
      return [
        payload === 'cancelled'
          ? { interruptId, status: payload }
          : { interruptId, status: 'resolved', payload },
      ];
    });
    await this.agent.runAgent({ resume });
  }

  get results(): string[] {
    return this.agent.messages.flatMap(({ role, content }) =>
      role === 'tool' && typeof content === 'string' ? [content] : [],
    );
  }

  get words(): string {
    return listTexts(this.agent.messages).join('');
  }
}

const listTexts = (messages: readonly Message[]) =>
  messages.flatMap(({ role, content }) => (role === 'assistant' && content ? [content] : []));

const listArgs = (messages: readonly Message[]) =>
  messages.flatMap((message) =>
    message.role === 'assistant' ? (message.toolCalls ?? []).map((call) => call.function.arguments) : [],
  );

describe.each(CLIENTS)('approvals in AG-UI, client %s', (_version, Client) => {
  const personAt = (server: ChatServer, initialMessages: Message[] = []) =>
    new Person(new Client({ url: toRunUrl(server), threadId: THREAD, initialMessages }));
  const viewerAt = (server: ChatServer) =>
    new Person(new Client({ url: `${toRunUrl(server)}/connect`, threadId: THREAD }));

  async function waiting(server: ChatServer, content: string): Promise<Person> {
    const person = personAt(server);
    await person.ask(content);
    expect(person.outcomes).toEqual(['interrupt']);
    return person;
  }

  it('interrupts the run for an approval, and makes the call in the next run of the thread', async () => {
    const server = await serve();
    const person = await waiting(server, 'Pay 50 and 5.');
    expect(person.interrupts).toMatchObject([
      {
        reason: 'tool_call',
        toolCallId: 'call0',
        message: 'Paying Eve…',
        responseSchema: { type: 'object' },
      },
    ]);
    expect(person.results).toEqual(['5 to Eve']);

    await person.answer({ approved: true });
    expect(person.outcomes).toEqual(['interrupt', undefined]);
    expect(person.results).toEqual(['5 to Eve', '50 to Eve']);
    expect(person.words).toBe('Let me pay.[50 to Eve][5 to Eve]');
    expect(listArgs(person.agent.messages)).toHaveLength(2);

    const viewer = viewerAt(server);
    await viewer.agent.runAgent();
    expect(viewer.agent.messages).toEqual(person.agent.messages);
    await person.ask('Thanks.');
    expect(listTexts(person.agent.messages).at(-1)).toBe('Well.');
  });

  it('replaces the arguments of a call by the edited ones, which every viewer then sees', async () => {
    const server = await serve();
    const person = await waiting(server, 'Pay 50.');
    await person.answer({ approved: true, editedArgs: { to: 'Bob', amount: 49 } });
    expect(person.results).toEqual(['49 to Bob']);
    expect(listArgs(person.agent.messages).map((args) => JSON.parse(args) as unknown)).toEqual([
      { to: 'Bob', amount: 49 },
    ]);
    const viewer = viewerAt(server);
    await viewer.agent.runAgent();
    expect(viewer.agent.messages).toEqual(person.agent.messages);
  });

  it('denies calls with a reason or by cancelling them, and makes the approved one', async () => {
    const person = await waiting(await serve(), 'Pay 50, 500 and 60.');
    await person.answer({ approved: false, reason: 'No.' }, { approved: true }, 'cancelled');
    expect(person.results.toSorted()).toEqual([
      '500 to Eve',
      expect.stringContaining('not approved'),
      expect.stringContaining('not approved'),
    ]);
    expect(person.words).toContain("[The call of 'pay' was not approved. No.]");
  });

  it('ignores a tool message that a client stores for its own decision', async () => {
    const person = await waiting(await serve(), 'Pay 50.');
    const [{ toolCallId } = { toolCallId: '' }] = person.interrupts;
    const content = JSON.stringify({ approved: true });
    person.agent.addMessage({ id: 'answer', role: 'tool', toolCallId, content });
    await person.answer({ approved: true });
    expect(person.results).toEqual(['50 to Eve']);
  });

  it('continues the run once when two clients give the same decision', async () => {
    const server = await serve();
    const person = await waiting(server, 'Pay 50.');
    const second = viewerAt(server);
    await second.agent.runAgent();
    expect(second.interrupts).toEqual(person.interrupts);
    second.agent.url = toRunUrl(server);

    await Promise.all([person.answer({ approved: true }), second.answer({ approved: true })]);
    expect(second.agent.messages).toEqual(person.agent.messages);
    expect(await listRuns(server, THREAD)).toHaveLength(2);
  });

  it('asks a viewer only for the decisions that are still open', async () => {
    const server = await serve();
    const person = await waiting(server, 'Pay 50 and 500.');
    const [first, second] = person.interrupts;
    const { body } = await server.call('GET', `/threads/${THREAD}`);
    const [{ runId } = { runId: '' }] = body['messages'] as { runId: string }[];
    await server.call('POST', `/runs/${runId}/inputs/${first!.id}`, { decision: 'deny' });

    const viewer = viewerAt(server);
    await viewer.agent.runAgent();
    expect(viewer.interrupts).toEqual([second]);
    viewer.agent.url = toRunUrl(server);
    await viewer.answer({ approved: true });
    expect(viewer.results).toContain('500 to Eve');
    expect(viewer.words).toContain('not approved');
  });

  it('accepts a decision in another process on the same storage', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'approvals-'));
    try {
      const asking = await serve({ storage: new SqliteStorage({ directory }) });
      const person = await waiting(asking, 'Pay 50.');
      await asking.close();
      const answering = await serve({ storage: new SqliteStorage({ directory }) });
      person.agent.url = toRunUrl(answering);
      await person.answer({ approved: true });
      expect(person.results).toEqual(['50 to Eve']);
      await answering.close();
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('shows the whole conversation to a client that joins while the approved call is made', async () => {
    const [begun, paid] = [gate(), gate()];
    const server = await serve({ hold: () => (begun.open(), paid.opened) });
    const person = await waiting(server, 'Pay 50.');
    const answered = person.answer({ approved: true });
    await begun.opened;
    const viewer = viewerAt(server);
    const joined = Promise.withResolvers<readonly Message[]>();
    viewer.agent.subscribe({ onMessagesSnapshotEvent: ({ event }) => joined.resolve(event.messages) });
    const viewed = viewer.agent.runAgent();
    expect(listArgs(await joined.promise)).toHaveLength(1);
    paid.open();
    await Promise.all([answered, viewed]);
    expect(viewer.agent.messages).toEqual(person.agent.messages);
  });
});

describe('decisions on the AG-UI routes', () => {
  const toInput = (resume: unknown, change: object = {}) => ({
    threadId: THREAD,
    runId: 'run-b',
    protocolVersion: '1.0',
    messages: [],
    state: {},
    tools: [],
    context: [],
    forwardedProps: {},
    resume,
    ...change,
  });
  const resolved = (interruptId: unknown, payload: unknown) => ({ interruptId, status: 'resolved', payload });

  async function send(server: ChatServer, resume: unknown): Promise<unknown[]> {
    const response = await postJson(toRunUrl(server), toInput(resume));
    return [response.status, ((await response.json()) as { code: string }).code];
  }

  async function asked(server: ChatServer, message: string): Promise<string[]> {
    const { runId } = await server.finishedRun({ message, threadId: await newThread(server) });
    const { body } = await server.call('GET', `/runs/${runId}`);
    return (body['inputs'] as { inputId: string }[]).map(({ inputId }) => inputId);
  }

  /** The native API mints the ids of its threads; a client of this protocol brings its own. */
  async function newThread(server: ChatServer): Promise<string> {
    const agent = new HttpAgent({ url: toRunUrl(server), threadId: THREAD });
    agent.addMessage({ id: 'q', role: 'user', content: 'Hello.' });
    await agent.runAgent();
    return THREAD;
  }

  it('refuses all decisions when one of them is missing, unknown or invalid', async () => {
    const server = await serve();
    const [first, second] = await asked(server, 'Pay 50 and 500.');
    const yes = { approved: true };
    expect(await send(server, [resolved(first, yes)])).toEqual([400, 'REQUEST_INVALID']);
    expect(await send(server, [resolved(first, yes), resolved('forged', yes)])).toEqual([
      400,
      'REQUEST_INVALID',
    ]);
    expect(await send(server, [resolved('forged', yes)])).toEqual([404, 'NOT_FOUND']);
    expect(await send(server, [resolved(first, {}), resolved(second, yes)])).toEqual([
      400,
      'REQUEST_INVALID',
    ]);
    const misfit = { approved: true, editedArgs: { to: 'Eve', amount: 'all' } };
    expect(await send(server, [resolved(first, misfit), resolved(second, yes)])).toEqual([
      400,
      'REQUEST_INVALID',
    ]);
    const { body } = await server.call('GET', `/threads/${THREAD}`);
    expect(JSON.stringify(body)).not.toContain('"decision"');
  });

  it('refuses a decision that contradicts an earlier one or comes after the next message', async () => {
    const server = await serve();
    const [first] = await asked(server, 'Pay 50.');
    const stream = await EventStream.open(toRunUrl(server), {
      method: 'POST',
      body: toInput([resolved(first, { approved: true })]),
    });
    await stream.closed();
    expect(stream.frames.at(-1)?.data).toMatchObject({ type: 'RUN_FINISHED', runId: 'run-b' });
    expect(await send(server, [resolved(first, { approved: false })])).toEqual([409, 'INPUT_CLOSED']);

    const [passed] = await server
      .finishedRun({ message: 'Pay 60.', threadId: THREAD })
      .then(({ runId }) => server.call('GET', `/runs/${runId}`))
      .then(({ body }) => (body['inputs'] as { inputId: string }[]).map(({ inputId }) => inputId));
    await server.finishedRun({ message: 'Never mind.', threadId: THREAD });
    expect(await send(server, [resolved(passed, { approved: true })])).toEqual([409, 'INPUT_CLOSED']);
  });

  it("reads decisions from CopilotKit's resume and not from the tool message that it adds", async () => {
    const server = await serve();
    const [first] = await asked(server, 'Pay 50.');
    const added = { id: 't', role: 'tool', toolCallId: 'call0', content: '{"approved":true}' };
    const stream = await EventStream.open(`${toRunUrl(server)}/copilotkit/agent/default/run`, {
      method: 'POST',
      body: toInput([resolved(first, { approved: true })], { messages: [added] }),
    });
    await stream.closed();
    expect(stream.frames.map(({ data }) => data)).toContainEqual(
      expect.objectContaining({ type: 'TOOL_CALL_RESULT', toolCallId: 'call0', content: '50 to Eve' }),
    );
  });

  it('continues the stream of an approved run after a Last-Event-ID', async () => {
    const server = await serve();
    const [first] = await asked(server, 'Pay 50.');
    const body = toInput([resolved(first, { approved: true })]);
    const whole = await EventStream.open(toRunUrl(server), { method: 'POST', body });
    await whole.closed();
    const ids = [...whole.raw.matchAll(/^id: (.*)$/gm)].map(([, id]) => id!);
    const id = ids[Math.floor(ids.length / 2)]!;
    const rest = await EventStream.open(toRunUrl(server), {
      method: 'POST',
      body,
      headers: { 'last-event-id': id },
    });
    await rest.closed();
    const missing = whole.raw.slice(whole.raw.indexOf('\n\n', whole.raw.indexOf(`id: ${id}\n`)) + 2);
    const dataIn = (raw: string) => [...raw.matchAll(/^data: (.*)$/gm)].map(([, data]) => data);
    expect(dataIn(rest.raw)).toEqual(dataIn(missing));
    expect(dataIn(rest.raw).length).toBeGreaterThan(0);
  });
});

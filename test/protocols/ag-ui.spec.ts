import { describe, expect, it, jest } from '@jest/globals';
import { HttpAgent, type Message } from '@ag-ui/client';
import { HttpAgent as OldHttpAgent } from 'ag-ui-client-v0';
import { createParser } from 'eventsource-parser';
import { gate, type ChatServer } from '../support/chat.server.js';
import { EventStream } from '../support/event-stream.js';
import { everything, nineWords, overloaded, twoPart } from '../support/plays.js';
import { demoServers } from './demo.server.js';
import { protocolServers } from './protocol.servers.js';

const CLIENTS = [
  ['1.0', HttpAgent],
  ['0.0.59', OldHttpAgent as unknown as typeof HttpAgent],
] as const;

const start = protocolServers();
const startDemo = demoServers();

const runUrlOf = (server: ChatServer) => `${server.origin}/protocols/ag-ui`;
const copilotUrlOf = (server: ChatServer) => `${runUrlOf(server)}/copilotkit`;

function ask(agent: HttpAgent, content: string, runId?: string) {
  agent.addMessage({ id: `user-${agent.messages.length}`, role: 'user', content });
  return agent.runAgent(runId ? { runId } : {});
}

const textsOf = (messages: readonly Message[]) =>
  messages.map(({ role, content }) => `${role}: ${typeof content === 'string' ? content : ''}`);

/** What the client would send for a run. */
const inputOf = (threadId: string, content: string, runId = 'run-a') => ({
  threadId,
  runId,
  protocolVersion: '1.0',
  messages: [{ id: 'q1', role: 'user', content }],
  state: {},
  tools: [],
  context: [],
  forwardedProps: {},
});

describe.each(CLIENTS)('@ag-ui/client %s', (version, Client) => {
  it('talks with a tool, and goes on talking', async () => {
    const url = await startDemo();
    const agent = new Client({ url: `${url}/protocols/ag-ui` });
    await ask(agent, 'Which countries border Austria?');
    const [question, call, result, ...rest] = agent.messages;
    expect(question?.role).toBe('user');
    expect(call).toMatchObject({ role: 'assistant', toolCalls: [{ type: 'function' }] });
    expect(result?.role).toBe('tool');
    expect(textsOf(rest).join()).toContain('Italy');

    await ask(agent, 'What is 6 times 7?');
    expect(textsOf(agent.messages).at(-1)).toContain('42');
    // The server remembers by the thread; it does not need to be told again.
    expect(agent.messages.filter(({ role }) => role === 'user')).toHaveLength(2);
  });

  it('shows everything a run can have, and the same to who connects afterwards', async () => {
    const server = await start(everything);
    const agent = new Client({ url: runUrlOf(server), threadId: 'thread-1' });
    const custom: string[] = [];
    agent.subscribe({ onCustomEvent: ({ event }) => void custom.push(event.name) });
    await ask(agent, 'Go.');
    expect(custom).toEqual(['tool-progress', 'tool-progress', 'team-fact']);

    const viewer = new Client({ url: `${runUrlOf(server)}/connect`, threadId: 'thread-1' });
    await viewer.runAgent();
    expect(viewer.messages).toEqual(agent.messages);
  });

  it('shows a second viewer what was said and what follows', async () => {
    const { play, middle, onward } = twoPart();
    const server = await start(play);
    const agent = new Client({ url: runUrlOf(server), threadId: 'thread-1' });
    const asked = ask(agent, 'Go.');
    await middle.opened;
    const viewer = new Client({ url: `${runUrlOf(server)}/connect`, threadId: 'thread-1' });
    const joined = gate();
    viewer.subscribe({ onMessagesSnapshotEvent: () => joined.open() });
    const viewed = viewer.runAgent();
    await joined.opened;
    onward.open();
    await Promise.all([asked, viewed]);
    expect(textsOf(viewer.messages)).toEqual(['user: Go.', 'assistant: Half and half.']);
    expect(viewer.messages).toEqual(agent.messages);
  });

  it('is told of a failure, in public words only', async () => {
    const server = await start(overloaded);
    const agent = new Client({ url: runUrlOf(server) });
    const errors: unknown[] = [];
    agent.subscribe({ onRunErrorEvent: ({ event }) => void errors.push([event.code, event.message]) });
    await ask(agent, 'Go.').catch(() => undefined);
    expect(errors).toEqual([['MODEL_OVERLOADED', 'The model is busy.']]);
  });

  it('stops a run by its thread, and keeps what was said', async () => {
    const { play, middle } = twoPart();
    const server = await start(play);
    const agent = new Client({ url: runUrlOf(server), threadId: 'thread-1' });
    const outcomes: unknown[] = [];
    agent.subscribe({ onRunFinishedEvent: (params) => void outcomes.push(params.event.outcome?.type) });
    const asked = ask(agent, 'Go.');
    await middle.opened;
    const stop = await fetch(`${runUrlOf(server)}/stop/thread-1`, { method: 'POST' });
    expect([stop.status, await stop.json()]).toEqual([200, { stopped: true }]);
    await asked;
    expect(outcomes).toEqual([version === '1.0' ? 'cancelled' : undefined]);
    expect(textsOf(agent.messages).at(-1)).toBe('assistant: Half ');
  });

  it('is refused without credentials, with a status that it reports', async () => {
    const server = await start(nineWords, {
      auth: { kind: 'credentials', jwt: { secret: 'x'.repeat(32) } } as const,
    });
    const agent = new Client({ url: runUrlOf(server) });
    // The library logs what it also throws.
    const log = jest.spyOn(console, 'error').mockImplementation(() => undefined);
    await expect(ask(agent, 'Go.')).rejects.toMatchObject({ status: 401 });
    log.mockRestore();
  });
});

describe('AG-UI after a cut', () => {
  it('completes the messages of a client that connects again, without saying anything twice', async () => {
    const { play, middle, onward } = twoPart();
    const server = await start(play);
    const agent = new HttpAgent({ url: runUrlOf(server), threadId: 'thread-1' });
    const heard = gate();
    agent.subscribe({ onTextMessageContentEvent: () => heard.open() });
    const asked = ask(agent, 'Go.');
    await middle.opened;
    await heard.opened;
    agent.abortRun();
    await asked;
    expect(textsOf(agent.messages)).toEqual(['user: Go.', 'assistant: Half ']);

    agent.url = `${runUrlOf(server)}/connect`;
    const joined = gate();
    agent.subscribe({ onMessagesSnapshotEvent: () => joined.open() });
    const again = agent.runAgent();
    await joined.opened;
    onward.open();
    await again;
    expect(textsOf(agent.messages)).toEqual(['user: Go.', 'assistant: Half and half.']);
  });

  it('finds the run again by its run id, and never starts a second one', async () => {
    let runs = 0;
    const { play, middle, onward } = twoPart();
    const server = await start((input, context) => (runs++, play(input, context)));
    const input = inputOf('thread-1', 'Go.');
    const first = await EventStream.open(runUrlOf(server), { method: 'POST', body: input });
    await middle.opened;
    first.leave();
    const second = await EventStream.open(runUrlOf(server), { method: 'POST', body: input });
    await second.until(() => second.raw.includes('MESSAGES_SNAPSHOT'));
    onward.open();
    await second.closed();
    expect(second.frames.map(({ data }) => data.type)).toEqual([
      'RUN_STARTED',
      'MESSAGES_SNAPSHOT',
      'STEP_STARTED',
      'TEXT_MESSAGE_START',
      'TEXT_MESSAGE_CONTENT',
      'TEXT_MESSAGE_END',
      'STEP_FINISHED',
      'RUN_FINISHED',
    ]);
    expect(runs).toBe(1);
  });

  it('goes on behind any Last-Event-ID, each frame once, with ids that never repeat', async () => {
    const server = await start(everything);
    const input = inputOf('thread-1', 'Go.');
    const whole = await EventStream.open(runUrlOf(server), { method: 'POST', body: input });
    await whole.closed();
    const named = [...whole.raw.matchAll(/^id: (.*)$/gm)].map(([, id]) => id!);
    expect(new Set(named).size).toBe(named.length);
    for (const id of named) {
      const rest = await EventStream.open(runUrlOf(server), {
        method: 'POST',
        body: input,
        headers: { 'last-event-id': id },
      });
      await rest.closed();
      const seen = whole.raw.slice(0, whole.raw.indexOf('\n\n', whole.raw.indexOf(`id: ${id}\n`)) + 2);
      expect([...dataIn(seen), ...dataIn(rest.raw)]).toEqual(dataIn(whole.raw));
    }
  });

  it('sees a broken connection, not an end, when the server goes away in the middle', async () => {
    const { play, middle } = twoPart();
    const server = await start(play);
    const stream = await EventStream.open(runUrlOf(server), {
      method: 'POST',
      body: inputOf('thread-1', 'Go.'),
    });
    await middle.opened;
    await stream.until(() => stream.raw.includes('Half'));
    void server.close();
    expect(await stream.closed()).toBe('cut');
  });
});

function dataIn(raw: string): string[] {
  const data: string[] = [];
  createParser({ onEvent: (message) => data.push(message.data) }).feed(raw);
  return data;
}

describe('CopilotKit', () => {
  it('lists the agents, also as default', async () => {
    const server = await start(nineWords);
    const info = await fetch(`${copilotUrlOf(server)}/info`);
    const scripted = { name: 'scripted', description: 'Does what a test says.' };
    expect(await info.json()).toEqual({
      version: expect.any(String),
      mode: 'sse',
      audioFileTranscriptionEnabled: false,
      agents: { default: scripted, scripted },
    });
  });

  it.each(['default', 'scripted'])('runs, hydrates and stops the agent %s', async (id) => {
    const server = await start(nineWords);
    const url = `${copilotUrlOf(server)}/agent/${id}`;
    const agent = new HttpAgent({ url: `${url}/run`, threadId: 'thread-1' });
    await ask(agent, 'Go.');
    const viewer = new HttpAgent({ url: `${url}/connect`, threadId: 'thread-1' });
    await viewer.runAgent();
    expect(viewer.messages).toEqual(agent.messages);
    const stop = await fetch(`${url}/stop/thread-1`, { method: 'POST', body: '{}' });
    expect(await stop.json()).toEqual({ stopped: false });
  });

  it('shows nothing of a thread that does not exist, or is not yours', async () => {
    const server = await start(nineWords);
    const stream = await EventStream.open(`${copilotUrlOf(server)}/agent/default/connect`, {
      method: 'POST',
      body: { ...inputOf('nowhere', ''), messages: [] },
    });
    expect([stream.status, await stream.closed(), stream.frames]).toEqual([200, 'end', []]);
  });

  it('tells a client that tries its other transport what is wrong, where the client looks for it', async () => {
    const secret = 'x'.repeat(32);
    const info = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"method":"info"}',
    };
    const open = await fetch(copilotUrlOf(await start(nineWords)), info);
    expect([open.status, await open.json()]).toMatchObject([
      400,
      { code: 'REQUEST_INVALID', message: expect.stringContaining('useSingleEndpoint') },
    ]);
    const auth = { kind: 'credentials', jwt: { secret } } as const;
    const refused = await fetch(copilotUrlOf(await start(nineWords, { auth })), info);
    expect(refused.status).toBe(401);
  });

  it.each([
    ['an unknown agent', 'nobody', {}, 400, 'AGENT_UNKNOWN'],
    [
      'a last message of a tool',
      'default',
      { messages: [{ id: 't', role: 'tool', content: '' }] },
      400,
      'REQUEST_INVALID',
    ],
    [
      'an image',
      'default',
      { messages: [{ id: 'q', role: 'user', content: [{ type: 'image' }] }] },
      400,
      'REQUEST_INVALID',
    ],
    [
      'an answer to nothing',
      'default',
      { resume: [{ interruptId: 'i', status: 'resolved' }] },
      400,
      'REQUEST_INVALID',
    ],
  ])('refuses %s before the stream', async (_what, agent, change, status, code) => {
    const server = await start(nineWords);
    const response = await fetch(`${copilotUrlOf(server)}/agent/${agent}/run`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...inputOf('thread-1', 'Go.'), ...change }),
    });
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([status, code]);
  });
});

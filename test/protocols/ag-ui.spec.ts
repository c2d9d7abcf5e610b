import { describe, expect, it, jest } from '@jest/globals';
import { HttpAgent, type Message } from '@ag-ui/client';
import { HttpAgent as OldHttpAgent } from 'ag-ui-client-v0';
import { createParser } from 'eventsource-parser';
import { gate, type ChatServer } from '../support/chat.server.js';
import { EventStream } from '../support/event-stream.js';
import { everything, nineWords, overloaded, twoPart } from '../support/plays.js';
import { demoServers } from './demo.server.js';
import { protocolServers } from './protocol-servers.js';
import { postJson } from '../support/post-json.js';

const CLIENTS = [
  ['1.0', HttpAgent],
  ['0.0.59', OldHttpAgent as unknown as typeof HttpAgent],
] as const;

const start = protocolServers();
const startDemo = demoServers();

const toRunUrl = (server: ChatServer) => `${server.origin}/protocols/ag-ui`;
const toCopilotUrl = (server: ChatServer) => `${toRunUrl(server)}/copilotkit`;

function ask(agent: HttpAgent, content: string, runId?: string) {
  agent.addMessage({ id: `user-${agent.messages.length}`, role: 'user', content });
  return agent.runAgent(runId ? { runId } : {});
}

const listTexts = (messages: readonly Message[]) =>
  messages.map(({ role, content }) => `${role}: ${typeof content === 'string' ? content : ''}`);

/** Returns the client's request for a run. */
const toInput = (threadId: string, content: string, runId = 'run-a') => ({
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
  it('calls a tool, and sends a second message in the same thread', async () => {
    const url = await startDemo();
    const agent = new Client({ url: `${url}/protocols/ag-ui` });
    await ask(agent, 'Which countries border Austria?');
    const [question, call, result, ...rest] = agent.messages;
    expect(question?.role).toBe('user');
    expect(call).toMatchObject({ role: 'assistant', toolCalls: [{ type: 'function' }] });
    expect(result?.role).toBe('tool');
    expect(listTexts(rest).join()).toContain('Italy');

    await ask(agent, 'What is 6 times 7?');
    expect(listTexts(agent.messages).at(-1)).toContain('42');
    // The server remembers by the thread; it does not need to be told again.
    expect(agent.messages.filter(({ role }) => role === 'user')).toHaveLength(2);
  });

  it('shows custom events of a run, and the same messages to a client that connects afterwards', async () => {
    const server = await start(everything);
    const agent = new Client({ url: toRunUrl(server), threadId: 'thread-1' });
    const custom: string[] = [];
    agent.subscribe({ onCustomEvent: ({ event }) => void custom.push(event.name) });
    await ask(agent, 'Go.');
    expect(custom).toEqual(['tool-progress', 'tool-progress', 'team-fact']);

    const viewer = new Client({ url: `${toRunUrl(server)}/connect`, threadId: 'thread-1' });
    await viewer.runAgent();
    expect(viewer.messages).toEqual(agent.messages);
  });

  it('shows a second viewer the text so far and the rest', async () => {
    const { play, middle, onward } = twoPart();
    const server = await start(play);
    const agent = new Client({ url: toRunUrl(server), threadId: 'thread-1' });
    const asked = ask(agent, 'Go.');
    await middle.opened;
    const viewer = new Client({ url: `${toRunUrl(server)}/connect`, threadId: 'thread-1' });
    const joined = gate();
    viewer.subscribe({ onMessagesSnapshotEvent: () => joined.open() });
    const viewed = viewer.runAgent();
    await joined.opened;
    onward.open();
    await Promise.all([asked, viewed]);
    expect(listTexts(viewer.messages)).toEqual(['user: Go.', 'assistant: Half and half.']);
    expect(viewer.messages).toEqual(agent.messages);
  });

  it('reports a failed run with its public message only', async () => {
    const server = await start(overloaded);
    const agent = new Client({ url: toRunUrl(server) });
    const errors: unknown[] = [];
    agent.subscribe({ onRunErrorEvent: ({ event }) => void errors.push([event.code, event.message]) });
    await ask(agent, 'Go.').catch(() => undefined);
    expect(errors).toEqual([['MODEL_OVERLOADED', 'The model is busy.']]);
  });

  it('stops a run by its thread, and keeps the partial text', async () => {
    const { play, middle } = twoPart();
    const server = await start(play);
    const agent = new Client({ url: toRunUrl(server), threadId: 'thread-1' });
    const outcomes: unknown[] = [];
    agent.subscribe({ onRunFinishedEvent: (params) => void outcomes.push(params.event.outcome?.type) });
    const asked = ask(agent, 'Go.');
    await middle.opened;
    const stop = await fetch(`${toRunUrl(server)}/stop/thread-1`, { method: 'POST' });
    expect([stop.status, await stop.json()]).toEqual([200, { stopped: true }]);
    await asked;
    expect(outcomes).toEqual([version === '1.0' ? 'cancelled' : undefined]);
    expect(listTexts(agent.messages).at(-1)).toBe('assistant: Half ');
  });

  it('throws the status 401 without credentials', async () => {
    const server = await start(nineWords, {
      auth: { kind: 'credentials', jwt: { secret: 'x'.repeat(32) } } as const,
    });
    const agent = new Client({ url: toRunUrl(server) });
    // The library logs what it also throws.
    const log = jest.spyOn(console, 'error').mockImplementation(() => undefined);
    await expect(ask(agent, 'Go.')).rejects.toMatchObject({ status: 401 });
    log.mockRestore();
  });
});

describe('AG-UI after a cut', () => {
  it('completes the partial message of a client that reconnects, without repeating text', async () => {
    const { play, middle, onward } = twoPart();
    const server = await start(play);
    const agent = new HttpAgent({ url: toRunUrl(server), threadId: 'thread-1' });
    const heard = gate();
    agent.subscribe({ onTextMessageContentEvent: () => heard.open() });
    const asked = ask(agent, 'Go.');
    await middle.opened;
    await heard.opened;
    agent.abortRun();
    await asked;
    expect(listTexts(agent.messages)).toEqual(['user: Go.', 'assistant: Half ']);

    agent.url = `${toRunUrl(server)}/connect`;
    const joined = gate();
    agent.subscribe({ onMessagesSnapshotEvent: () => joined.open() });
    const again = agent.runAgent();
    await joined.opened;
    onward.open();
    await again;
    expect(listTexts(agent.messages)).toEqual(['user: Go.', 'assistant: Half and half.']);
  });

  it('continues the run of the same run id instead of starting a second one', async () => {
    let runs = 0;
    const { play, middle, onward } = twoPart();
    const server = await start((input, context) => (runs++, play(input, context)));
    const input = toInput('thread-1', 'Go.');
    const first = await EventStream.open(toRunUrl(server), { method: 'POST', body: input });
    await middle.opened;
    first.leave();
    const second = await EventStream.open(toRunUrl(server), { method: 'POST', body: input });
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

  it('continues after any Last-Event-ID, each frame once, with ids that never repeat', async () => {
    const server = await start(everything);
    const input = toInput('thread-1', 'Go.');
    const whole = await EventStream.open(toRunUrl(server), { method: 'POST', body: input });
    await whole.closed();
    const named = [...whole.raw.matchAll(/^id: (.*)$/gm)].map(([, id]) => id!);
    expect(new Set(named).size).toBe(named.length);
    for (const id of named) {
      const rest = await EventStream.open(toRunUrl(server), {
        method: 'POST',
        body: input,
        headers: { 'last-event-id': id },
      });
      await rest.closed();
      const seen = whole.raw.slice(0, whole.raw.indexOf('\n\n', whole.raw.indexOf(`id: ${id}\n`)) + 2);
      expect([...dataIn(seen), ...dataIn(rest.raw)]).toEqual(dataIn(whole.raw));
    }
  });

  it('breaks the connection when the server closes in the middle of a run', async () => {
    const { play, middle } = twoPart();
    const server = await start(play);
    const stream = await EventStream.open(toRunUrl(server), {
      method: 'POST',
      body: toInput('thread-1', 'Go.'),
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

describe('CopilotKit routes', () => {
  it('lists the agents to CopilotKit, the first one also as default', async () => {
    const server = await start(nineWords);
    const info = await fetch(`${toCopilotUrl(server)}/info`);
    const scripted = { name: 'scripted', description: 'Does what a test says.' };
    expect(await info.json()).toEqual({
      version: expect.any(String),
      mode: 'sse',
      audioFileTranscriptionEnabled: false,
      agents: { default: scripted, scripted },
    });
  });

  it.each(['default', 'scripted'])('runs, hydrates and stops the agent %s for CopilotKit', async (id) => {
    const server = await start(nineWords);
    const url = `${toCopilotUrl(server)}/agent/${id}`;
    const agent = new HttpAgent({ url: `${url}/run`, threadId: 'thread-1' });
    await ask(agent, 'Go.');
    const viewer = new HttpAgent({ url: `${url}/connect`, threadId: 'thread-1' });
    await viewer.runAgent();
    expect(viewer.messages).toEqual(agent.messages);
    const stop = await fetch(`${url}/stop/thread-1`, { method: 'POST', body: '{}' });
    expect(await stop.json()).toEqual({ stopped: false });
  });

  it('connects CopilotKit to an unknown thread with an empty stream', async () => {
    const server = await start(nineWords);
    const stream = await EventStream.open(`${toCopilotUrl(server)}/agent/default/connect`, {
      method: 'POST',
      body: { ...toInput('nowhere', ''), messages: [] },
    });
    expect([stream.status, await stream.closed(), stream.frames]).toEqual([200, 'end', []]);
  });

  it("explains to CopilotKit's single endpoint which option to set", async () => {
    const secret = 'x'.repeat(32);
    const info = { method: 'info' };
    const open = await postJson(toCopilotUrl(await start(nineWords)), info);
    expect([open.status, await open.json()]).toMatchObject([
      400,
      { code: 'REQUEST_INVALID', message: expect.stringContaining('useSingleEndpoint') },
    ]);
    const auth = { kind: 'credentials', jwt: { secret } } as const;
    const refused = await postJson(toCopilotUrl(await start(nineWords, { auth })), info);
    expect(refused.status).toBe(401);
  });

  it.each([
    ['an unknown agent', 'nobody', {}, 400, 'AGENT_UNKNOWN'],
    [
      'the result of a call that the client was not asked for',
      'default',
      { messages: [{ id: 't', role: 'tool', toolCallId: 'c', content: '' }] },
      404,
      'NOT_FOUND',
    ],
    [
      'an image',
      'default',
      { messages: [{ id: 'q', role: 'user', content: [{ type: 'image' }] }] },
      400,
      'REQUEST_INVALID',
    ],
    [
      'a decision without a request',
      'default',
      { resume: [{ interruptId: 'i', status: 'resolved' }] },
      400,
      'REQUEST_INVALID',
    ],
  ])('refuses %s before the stream', async (_what, agent, change, status, code) => {
    const server = await start(nineWords);
    const response = await postJson(`${toCopilotUrl(server)}/agent/${agent}/run`, {
      ...toInput('thread-1', 'Go.'),
      ...change,
    });
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([status, code]);
  });
});

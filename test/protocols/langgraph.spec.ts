import { describe, expect, it } from '@jest/globals';
import { HumanMessage } from '@langchain/core/messages';
import { Client, HttpAgentServerAdapter } from '@langchain/langgraph-sdk';
import { EventStream } from '../support/event-stream.js';
import { faultProxies } from '../support/fault-proxies.js';
import { everything, nineWords, overloaded, twoPart } from '../support/plays.js';
import { demoServers } from './demo.server.js';
import { getSnapshot, langGraphHooks, shows, type Hook } from './langgraph-hooks.js';
import { protocolServers } from './protocol-servers.js';
import { postJson } from '../support/post-json.js';

// Closed in this order after each test: clients that reconnect at once would never leave a server that is closing.
const createController = langGraphHooks();
const startProxy = faultProxies();
const start = protocolServers();
const startDemo = demoServers();
const toBase = (origin: string) => `${origin}/protocols/langgraph`;

interface HookOptions {
  readonly assistantId?: string;
  readonly threadId?: string;
  /** Through an adapter of one's own, as custom backends are connected. */
  readonly adapter?: boolean;
  readonly headers?: Record<string, string>;
  readonly optimistic?: boolean;
}

function createHook(
  origin: string,
  { assistantId = 'scripted', threadId, adapter, headers = {}, optimistic = true }: HookOptions = {},
): Hook {
  const apiUrl = toBase(origin);
  const client = new Client({
    apiUrl,
    apiKey: null,
    defaultHeaders: headers,
    callerOptions: { maxRetries: 0 },
  });
  const transport = adapter
    ? new HttpAgentServerAdapter({ apiUrl, defaultHeaders: headers, ...(threadId && { threadId }) })
    : undefined;
  return createController({
    assistantId,
    client,
    threadId: threadId ?? null,
    optimistic,
    ...(transport && { transport }),
  });
}

const listTexts = (hook: Hook) =>
  getSnapshot(hook).messages.map((message) => `${message.getType()}: ${message.text}`);

function ask(hook: Hook, content: string): Promise<void> {
  return hook.submit({ messages: [{ type: 'human', content }] });
}

describe.each([
  ['its own transport', false],
  ['HttpAgentServerAdapter', true],
])("LangGraph's StreamController over %s", (_name, adapter) => {
  it('calls a tool, and sends a second message in the thread', async () => {
    const hook = createHook(await startDemo(), { assistantId: 'assistant', adapter });
    await ask(hook, 'What is 6 times 7?');
    await shows(hook, () => listTexts(hook).at(-1)?.includes('42') ?? false);
    expect(getSnapshot(hook).messages.map((message) => message.getType())).toEqual([
      'human',
      'ai',
      'tool',
      'ai',
    ]);
    expect(getSnapshot(hook).toolCalls).toMatchObject([{ name: 'calculator', status: 'finished' }]);

    await ask(hook, 'Which countries border Austria?');
    await shows(hook, () => listTexts(hook).at(-1)?.includes('Italy') ?? false);
    expect(getSnapshot(hook).isLoading).toBe(false);
    expect(listTexts(hook).filter((text) => text.startsWith('human'))).toEqual([
      'human: What is 6 times 7?',
      'human: Which countries border Austria?',
    ]);
  });

  it('shows a second viewer the text so far and the rest', async () => {
    const { play, middle, onward } = twoPart();
    const origin = (await start(play)).origin;
    const hook = createHook(origin, { adapter });
    const asked = ask(hook, 'Go.');
    await middle.opened;
    const viewer = createHook(origin, { threadId: getSnapshot(hook).threadId!, adapter });
    await shows(viewer, () => listTexts(viewer).at(-1) === 'ai: Half ');
    expect(getSnapshot(viewer).isLoading).toBe(true);
    onward.open();
    await asked;
    await shows(viewer, () => !getSnapshot(viewer).isLoading);
    expect(listTexts(viewer)).toEqual(['human: Go.', 'ai: Half and half.']);

    const late = createHook(origin, { threadId: getSnapshot(hook).threadId!, adapter });
    await late.hydrationPromise;
    expect(listTexts(late)).toEqual(listTexts(viewer));
    expect(getSnapshot(late).messages.map(({ id }) => id)).toEqual(
      getSnapshot(hook).messages.map(({ id }) => id),
    );
  });

  it('shows a failed run with its public message only', async () => {
    const origin = (await start(overloaded)).origin;
    const hook = createHook(origin, { adapter });
    await ask(hook, 'Go.');
    expect(getSnapshot(hook).error).toMatchObject({ message: 'The model is busy.' });
  });

  it('shows the error of a start with an unknown agent', async () => {
    const hook = createHook((await start(nineWords)).origin, { assistantId: 'nobody', adapter });
    await ask(hook, 'Go.');
    expect(String(getSnapshot(hook).error)).toContain("There is no agent 'nobody'");
  });

  it('shows the 401 of a start without credentials', async () => {
    const secret = 'x'.repeat(32);
    const origin = (await start(nineWords, { auth: { kind: 'credentials', jwt: { secret } } })).origin;
    const hook = createHook(origin, { adapter });
    await ask(hook, 'Go.');
    expect(String(getSnapshot(hook).error)).toContain('401');
  });
});

describe("LangGraph's event protocol", () => {
  it("takes messages as LangChain's classes write themselves", async () => {
    const server = await start(nineWords);
    const hook = createHook(server.origin, { optimistic: false });
    await hook.submit({ messages: [new HumanMessage({ id: 'mine', content: 'Go.' })] });
    await shows(hook, () => listTexts(hook).length === 2 && !getSnapshot(hook).isLoading);
    expect(getSnapshot(hook).messages[0]).toMatchObject({ id: 'mine', text: 'Go.' });
  });

  it('gives a thread the metadata of the run that creates it', async () => {
    const server = await start(nineWords);
    const hook = createHook(server.origin);
    const threads = new Client({ apiUrl: toBase(server.origin), apiKey: null }).threads;
    const send = (topic: string) =>
      hook.submit({ messages: [{ type: 'human', content: 'Go.' }] }, { metadata: { topic } });
    await send('first');
    await send('second');
    expect((await threads.get(String(getSnapshot(hook).threadId))).metadata).toMatchObject({
      topic: 'first',
    });
  });

  it('stops a run and keeps the partial text', async () => {
    const { play, middle } = twoPart();
    const server = await start(play);
    const hook = createHook(server.origin);
    void ask(hook, 'Go.');
    await middle.opened;
    await shows(hook, () => listTexts(hook).at(-1) === 'ai: Half ');
    await hook.stop();
    const viewer = createHook(server.origin, { threadId: getSnapshot(hook).threadId! });
    await shows(viewer, () => !getSnapshot(viewer).isLoading && listTexts(viewer).length === 2);
    expect(listTexts(viewer)).toEqual(['human: Go.', 'ai: Half ']);
  });

  it('lets a client reconnect by itself after a cut without repeating text', async () => {
    const { play, middle, onward } = twoPart();
    const server = await start(play);
    const proxy = await startProxy(server);
    const hook = createHook(proxy.origin);
    const asked = ask(hook, 'Go.');
    await middle.opened;
    await shows(hook, () => listTexts(hook).at(-1) === 'ai: Half ');
    proxy.drop('reset');
    onward.open();
    await asked;
    await shows(hook, () => listTexts(hook).at(-1) === 'ai: Half and half.');
    expect(listTexts(hook)).toEqual(['human: Go.', 'ai: Half and half.']);
    expect(proxy.connections).toBeGreaterThan(2);
  });

  it('numbers the events the same on every read, and continues after one of them', async () => {
    const server = await start(everything);
    const hook = createHook(server.origin);
    await ask(hook, 'Go.');
    const url = `${toBase(server.origin)}/threads/${getSnapshot(hook).threadId}/stream/events`;
    const channels = ['values', 'lifecycle', 'messages', 'tools', 'input', 'custom'];
    const read = async (since?: number) => {
      const body = { channels, ...(since !== undefined && { since }) };
      const stream = await EventStream.open(url, { method: 'POST', body });
      await stream.until(() => stream.raw.includes('"event":"completed"'));
      stream.leave();
      return stream.frames.slice(1).map(({ data }) => data);
    };
    const whole = await read();
    expect(await read()).toEqual(whole);
    const middle = whole[Math.floor(whole.length / 2)]!['seq'] as number;
    expect(await read(middle)).toEqual(whole.filter(({ seq }) => (seq as number) > middle));
  });

  it('answers 404 to the state of an unknown thread, and opens its stream', async () => {
    const { port } = await start(nineWords);
    const url = `${toBase(`http://127.0.0.1:${port}`)}/threads/nowhere`;
    expect((await fetch(`${url}/state`)).status).toBe(404);
    const stream = await EventStream.open(`${url}/stream/events`, {
      method: 'POST',
      body: { channels: ['values'] },
    });
    await stream.frame('ready');
    stream.leave();
  });

  it('refuses a subscription with invalid channels before the stream', async () => {
    const { origin } = await start(nineWords);
    const response = await postJson(`${toBase(origin)}/threads/t/stream/events`, { channels: 'all' });
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([
      400,
      'REQUEST_INVALID',
    ]);
  });
});

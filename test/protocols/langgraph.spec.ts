import { afterEach, describe, expect, it } from '@jest/globals';
import { Client, HttpAgentServerAdapter, type DefaultValues } from '@langchain/langgraph-sdk';
import { StreamController } from '@langchain/langgraph-sdk/stream';
import { EventStream } from '../support/event-stream.js';
import { faultProxies } from '../support/fault.proxies.js';
import { everything, nineWords, overloaded, twoPart } from '../support/plays.js';
import { demoServers } from './demo.server.js';
import { protocolServers } from './protocol.servers.js';

const start = protocolServers();
const startDemo = demoServers();
const startProxy = faultProxies();
const baseOf = (origin: string) => `${origin}/protocols/langgraph`;

type Hook = StreamController<DefaultValues>;
const controllers: Hook[] = [];
afterEach(async () => {
  await Promise.all(controllers.splice(0).map((controller) => controller.dispose()));
});

interface HookOptions {
  readonly assistantId?: string;
  readonly threadId?: string;
  /** Through an adapter of one's own, as custom backends are connected. */
  readonly adapter?: boolean;
  readonly headers?: Record<string, string>;
}

/** What `useStream` is made of, without React. */
function hookOf(
  origin: string,
  { assistantId = 'scripted', threadId, adapter, headers = {} }: HookOptions = {},
): Hook {
  const apiUrl = baseOf(origin);
  const client = new Client({
    apiUrl,
    apiKey: null,
    defaultHeaders: headers,
    callerOptions: { maxRetries: 0 },
  });
  const transport = adapter
    ? new HttpAgentServerAdapter({ apiUrl, defaultHeaders: headers, ...(threadId && { threadId }) })
    : undefined;
  const controller = new StreamController({
    assistantId,
    client,
    threadId: threadId ?? null,
    reconnectDelayMs: () => 0,
    ...(transport && { transport }),
  });
  controllers.push(controller);
  return controller;
}

const snapshotOf = (hook: Hook) => hook.rootStore.getSnapshot();
const textsOf = (hook: Hook) =>
  snapshotOf(hook).messages.map((message) => `${message.getType()}: ${message.text}`);

function ask(hook: Hook, content: string): Promise<void> {
  return hook.submit({ messages: [{ type: 'human', content }] });
}

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

describe.each([
  ['its own transport', false],
  ['HttpAgentServerAdapter', true],
])("LangGraph's StreamController over %s", (_name, adapter) => {
  it('talks with a tool, and goes on talking in the thread', async () => {
    const hook = hookOf(await startDemo(), { assistantId: 'assistant', adapter });
    await ask(hook, 'What is 6 times 7?');
    await shows(hook, () => textsOf(hook).at(-1)?.includes('42') ?? false);
    expect(snapshotOf(hook).messages.map((message) => message.getType())).toEqual([
      'human',
      'ai',
      'tool',
      'ai',
    ]);
    expect(snapshotOf(hook).toolCalls).toMatchObject([{ name: 'calculator', status: 'finished' }]);

    await ask(hook, 'Which countries border Austria?');
    await shows(hook, () => textsOf(hook).at(-1)?.includes('Italy') ?? false);
    expect(snapshotOf(hook).isLoading).toBe(false);
    expect(textsOf(hook).filter((text) => text.startsWith('human'))).toEqual([
      'human: What is 6 times 7?',
      'human: Which countries border Austria?',
    ]);
  });

  it('shows a second viewer what was said and what follows', async () => {
    const { play, middle, onward } = twoPart();
    const origin = (await start(play)).origin;
    const hook = hookOf(origin, { adapter });
    const asked = ask(hook, 'Go.');
    await middle.opened;
    const viewer = hookOf(origin, { threadId: snapshotOf(hook).threadId!, adapter });
    await shows(viewer, () => textsOf(viewer).at(-1) === 'ai: Half ');
    expect(snapshotOf(viewer).isLoading).toBe(true);
    onward.open();
    await asked;
    await shows(viewer, () => !snapshotOf(viewer).isLoading);
    expect(textsOf(viewer)).toEqual(['human: Go.', 'ai: Half and half.']);

    const late = hookOf(origin, { threadId: snapshotOf(hook).threadId!, adapter });
    await late.hydrationPromise;
    expect(textsOf(late)).toEqual(textsOf(viewer));
    expect(snapshotOf(late).messages.map(({ id }) => id)).toEqual(
      snapshotOf(hook).messages.map(({ id }) => id),
    );
  });

  it('is told of a failure, in public words only', async () => {
    const origin = (await start(overloaded)).origin;
    const hook = hookOf(origin, { adapter });
    await ask(hook, 'Go.');
    expect(snapshotOf(hook).error).toMatchObject({ message: 'The model is busy.' });
  });

  it('reports a refused start', async () => {
    const hook = hookOf((await start(nineWords)).origin, { assistantId: 'nobody', adapter });
    await ask(hook, 'Go.');
    expect(String(snapshotOf(hook).error)).toContain("There is no agent 'nobody'");
  });

  it('is refused without credentials', async () => {
    const secret = 'x'.repeat(32);
    const origin = (await start(nineWords, { auth: { kind: 'credentials', jwt: { secret } } })).origin;
    const hook = hookOf(origin, { adapter });
    await ask(hook, 'Go.');
    expect(String(snapshotOf(hook).error)).toContain('401');
  });
});

describe('LangGraph clients', () => {
  it('stop a run and keep what was said', async () => {
    const { play, middle } = twoPart();
    const server = await start(play);
    const hook = hookOf(server.origin);
    void ask(hook, 'Go.');
    await middle.opened;
    await shows(hook, () => textsOf(hook).at(-1) === 'ai: Half ');
    await hook.stop();
    const viewer = hookOf(server.origin, { threadId: snapshotOf(hook).threadId! });
    await shows(viewer, () => !snapshotOf(viewer).isLoading && textsOf(viewer).length === 2);
    expect(textsOf(viewer)).toEqual(['human: Go.', 'ai: Half ']);
  });

  it('come back after a cut by themselves, and say nothing twice', async () => {
    const { play, middle, onward } = twoPart();
    const server = await start(play);
    const proxy = await startProxy(server);
    const hook = hookOf(proxy.origin);
    const asked = ask(hook, 'Go.');
    await middle.opened;
    await shows(hook, () => textsOf(hook).at(-1) === 'ai: Half ');
    proxy.drop('reset');
    onward.open();
    await asked;
    await shows(hook, () => textsOf(hook).at(-1) === 'ai: Half and half.');
    expect(textsOf(hook)).toEqual(['human: Go.', 'ai: Half and half.']);
    expect(proxy.connections).toBeGreaterThan(2);
  });

  it('read the same numbers again, and go on behind one of them', async () => {
    const server = await start(everything);
    const hook = hookOf(server.origin);
    await ask(hook, 'Go.');
    const url = `${baseOf(server.origin)}/threads/${snapshotOf(hook).threadId}/stream/events`;
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

  it('hear nothing of a thread of somebody else', async () => {
    const { port } = await start(nineWords);
    const url = `${baseOf(`http://127.0.0.1:${port}`)}/threads/nowhere`;
    expect((await fetch(`${url}/state`)).status).toBe(404);
    const stream = await EventStream.open(`${url}/stream/events`, {
      method: 'POST',
      body: { channels: ['values'] },
    });
    await stream.frame('ready');
    stream.leave();
  });

  it('are refused a subscription that is none, before the stream', async () => {
    const { port } = await start(nineWords);
    const response = await fetch(`${baseOf(`http://127.0.0.1:${port}`)}/threads/t/stream/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"channels":"all"}',
    });
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([
      400,
      'REQUEST_INVALID',
    ]);
  });
});

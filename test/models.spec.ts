import { LLMock } from '@copilotkit/aimock';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { says, startProvider } from '../src/agents/langgraph/scripted-provider.testing.js';
import { foldRun, getText } from '../src/events/run-view.js';
import type { RecordedEvent } from '../src/events/recorded-event.js';
import type { RunEvent } from '../src/events/run-event.js';
import { freePort } from './harness/cluster/free-port.js';
import { appServers, type AppServer } from './support/app.server.js';
import type { EventStream } from './support/event-stream.js';

const KEY = 'sk-secret-of-the-provider';
const TAVILY_KEY = 'tvly-secret-of-the-search';
const PROMPT_WORD = 'xylophone';

/** The whole app with a provider that a third party plays: what its people see of a model, and what they do not. */
describe('models', () => {
  const start = appServers();
  let mock: LLMock;

  beforeAll(async () => {
    mock = new LLMock({ port: 0, logLevel: 'silent', chunkSize: 5 });
    await mock.start();
  });

  afterEach(() => {
    mock.clearChaos();
    mock.reset();
  });

  afterAll(() => mock.stop());

  const openai = (baseUrl = `${mock.url}/v1`) => ({
    MODEL: 'openai:gpt-4.1-mini',
    MODEL_BASE_URL: baseUrl,
    OPENAI_API_KEY: KEY,
  });

  const PROVIDERS: readonly [string, () => Record<string, string>][] = [
    ['OpenAI', () => openai()],
    [
      'Anthropic',
      () => ({ MODEL: 'anthropic:claude-sonnet-4-5', MODEL_BASE_URL: mock.url, ANTHROPIC_API_KEY: KEY }),
    ],
  ];

  describe.each(PROVIDERS)('provider %s', (_name, settings) => {
    it('streams the text of the model in pieces', async () => {
      const answer = 'It has wooden bars that are struck with mallets.';
      mock.onMessage(
        /xylophone/,
        {
          content: answer,
          usage: { prompt_tokens: 11, completion_tokens: 3, total_tokens: 14 },
        },
        // Between its pieces there is time for what was said to be stored, also on a busy machine.
        { latency: 100 },
      );
      const server = await start(settings());
      const stream = await ask(server);
      expect(textIn(stream)).toBe(answer);
      expect(stream.events.filter(({ event }) => event === 'text-delta').length).toBeGreaterThan(1);
      expect(readEnd(stream)).toMatchObject({ outcome: 'completed' });
      expectNothingLeaks(server, stream);
    });

    it('calls a tool, and completes with the text that follows its result', async () => {
      mock.on(
        { userMessage: /xylophone/, hasToolResult: false },
        { toolCalls: [{ id: 'call_1', name: 'calculator', arguments: '{"expression":"2+2"}' }] },
      );
      mock.on({ userMessage: /xylophone/, hasToolResult: true }, { content: 'It is 4.' });
      const server = await start(settings());
      const stream = await ask(server);
      expect(textIn(stream)).toBe('It is 4.');
      const tools = stream.events.filter(({ event }) => event.startsWith('tool-'));
      expect(tools.map(({ data }) => data)).toMatchObject([
        { type: 'tool-start', toolName: 'calculator', label: expect.any(String) },
        { type: 'tool-end', outcome: 'ok', durationMs: expect.any(Number) },
      ]);
      expect(readEnd(stream)).toMatchObject({ outcome: 'completed' });
      expectNothingLeaks(server, stream);
    });

    it('fails the run and keeps the partial text when the model stream is cut', async () => {
      mock.onMessage(
        /xylophone/,
        { content: 'A long story. '.repeat(40) },
        { latency: 10, truncateAfterChunks: 20 },
      );
      const server = await start(settings());
      const stream = await ask(server);
      expect(textIn(stream)).toMatch(/^A long story\./);
      expect(readEnd(stream)).toMatchObject({
        outcome: 'failed',
        error: { code: expect.stringMatching(/^MODEL_/), retryable: true },
      });
      const threadId = String(stream.frames[0]!.data['threadId']);
      const thread = await fetch(`${server.origin}/api/chat/threads/${threadId}`);
      expect(await thread.json()).toMatchObject({
        messages: [{ role: 'user' }, { role: 'assistant', text: textIn(stream) }],
      });
      expectNothingLeaks(server, stream);
    });

    it('fails the run as MODEL_REFUSED and not retryable when the provider answers 401', async () => {
      fail(401);
      const server = await start(settings());
      const stream = await ask(server);
      expect(readEnd(stream)).toMatchObject({
        outcome: 'failed',
        error: { code: 'MODEL_REFUSED', retryable: false },
      });
      expectNothingLeaks(server, stream);
    });
  });

  it('fails the run as MODEL_OVERLOADED and retryable after several tries when the provider answers 429', async () => {
    fail(429);
    const server = await start(openai());
    const stream = await ask(server);
    expect(readEnd(stream)).toMatchObject({
      outcome: 'failed',
      error: { code: 'MODEL_OVERLOADED', retryable: true },
    });
    expect(mock.getRequests().length).toBeGreaterThan(1);
    expectNothingLeaks(server, stream);
  });

  it("fails the run as MODEL_UNREACHABLE when the provider's port is closed", async () => {
    const server = await start(openai(`http://127.0.0.1:${await freePort()}/v1`));
    const stream = await ask(server);
    expect(readEnd(stream)).toMatchObject({
      outcome: 'failed',
      error: { code: 'MODEL_UNREACHABLE', retryable: true },
    });
    expectNothingLeaks(server, stream);
  });

  it('fails the run when every connection is dropped, and answers the next message in the thread', async () => {
    mock.onMessage(/xylophone/, { content: 'Here again.' });
    mock.setChaos({ dropRate: 1 });
    const server = await start(openai());
    const failed = await ask(server);
    expect(readEnd(failed)).toMatchObject({
      outcome: 'failed',
      error: { code: expect.stringMatching(/^MODEL_/), retryable: true },
    });
    mock.clearChaos();
    const { threadId } = failed.frames[0]!.data;
    const answered = await server.ask({ message: `And the ${PROMPT_WORD}?`, threadId });
    await answered.closed();
    expect(textIn(answered)).toBe('Here again.');
    expectNothingLeaks(server, failed);
  });

  it('answers with the second model of a chain when the first one fails', async () => {
    const provider = await startProvider(({ model }) =>
      model === 'second'
        ? says('It has bars.')
        : { chunks: ['{"error":{"message":"No such model."}}'], status: 404, end: 'close' },
    );
    try {
      const server = await start({ ...openai(provider.baseUrl), MODEL: 'openai:first, openai:second' });
      const stream = await ask(server);
      expect(textIn(stream)).toBe('It has bars.');
      expect(readEnd(stream)).toMatchObject({ outcome: 'completed' });
      expect(provider.requests.map(({ model }) => model)).toEqual(['first', 'second']);
      expectNothingLeaks(server, stream);
    } finally {
      await provider.close();
    }
  });

  it('passes the results of a web search to the model', async () => {
    mock.on(
      { userMessage: /xylophone/, hasToolResult: false },
      { toolCalls: [{ id: 'call_1', name: 'web_search', arguments: '{"query":"cats and xylophones"}' }] },
    );
    mock.on({ userMessage: /xylophone/, hasToolResult: true }, { content: 'Cats play it.' });
    mock.onSearch(/cats/, [
      { title: 'Cats', url: 'https://example.com/cats', content: 'Cats play the xylophone.', score: 0.9 },
    ]);
    const server = await start({ ...openai(), TAVILY_API_KEY: TAVILY_KEY, TAVILY_URL: mock.url });
    const stream = await ask(server);
    expect(textIn(stream)).toBe('Cats play it.');
    expect(stream.events.find(({ event }) => event === 'tool-start')?.data).toMatchObject({
      toolName: 'web_search',
    });
    expect(stream.events.find(({ event }) => event === 'tool-end')?.data).toMatchObject({ outcome: 'ok' });
    const asked = JSON.stringify(mock.getRequests().at(-1)?.body);
    expect(asked).toContain('Cats play the xylophone.');
    expectNothingLeaks(server, stream);
  });

  async function ask(server: AppServer): Promise<EventStream> {
    const stream = await server.ask({ message: `What is a ${PROMPT_WORD}?` });
    await stream.closed();
    return stream;
  }

  /** Neither a frame nor a log line tells the question, a key or an address of the provider. */
  function expectNothingLeaks(server: AppServer, stream: EventStream): void {
    const log = server.log.join('');
    const secrets = [KEY, TAVILY_KEY, new URL(mock.url).host, 'You are a helpful assistant'];
    expect(secrets.filter((secret) => `${log}${stream.raw}`.includes(secret))).toEqual([]);
    expect(server.log.filter((line) => line.includes(PROMPT_WORD))).toEqual([]);
    expect(stream.raw).not.toMatch(/node_modules|\bat \w+ \(|https?:\/\/127/);
  }

  function fail(status: number): void {
    mock.onMessage(/xylophone/, { error: { message: 'Not now.', type: 'test', code: 'test' }, status });
  }
});

function readEnd(stream: EventStream): unknown {
  return stream.events.at(-1)?.data;
}

/** Returns the text that a viewer sees at the end. */
function textIn(stream: EventStream): string {
  const runId = String(stream.frames[0]!.data['runId']);
  const threadId = String(stream.frames[0]!.data['threadId']);
  const log = stream.events.map(({ id, data }): RecordedEvent => {
    const [, epoch, seq] = id.split('.');
    return {
      runId,
      threadId,
      epoch: Number(epoch),
      seq: Number(seq),
      at: 0,
      event: data as unknown as RunEvent,
    };
  });
  return getText(foldRun(runId, log));
}

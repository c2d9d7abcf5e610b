import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { LLMock, type ChaosConfig, type FixtureOpts } from '@copilotkit/aimock';
import { BaseCallbackHandler } from '@langchain/core/callbacks/base';
import { AppError } from '../../errors.js';
import { toModelError } from './model.errors.js';
import { createModel } from './model.factory.js';

const SECRETS = /sk-secret|127\.0\.0\.1|localhost|my private question|provider's own words/;

/** Makes `invoke` stream, as an agent run does, and counts the tokens that came before the failure. */
class TokenCounter extends BaseCallbackHandler {
  override readonly name = 'token-counter';
  override awaitHandlers = true;
  readonly lc_prefer_streaming = true;
  tokens = 0;

  override handleLLMNewToken(token: string): void {
    if (token) this.tokens += 1;
  }
}

interface Failure {
  readonly error: AppError | undefined;
  readonly thrown: unknown;
  readonly tokens: number;
}

async function catchFailure(
  spec: string,
  url: string,
  timeoutMs = 5_000,
  signal?: AbortSignal,
): Promise<Failure> {
  const baseUrl = spec.startsWith('openai') ? `${url}/v1` : url;
  const model = await createModel(spec, { baseUrl, apiKey: 'sk-secret', timeoutMs, maxRetries: 0 });
  const counter = new TokenCounter();
  const thrown: unknown = await model.invoke('my private question', { callbacks: [counter], signal }).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(thrown).toHaveProperty('message');
  const error = toModelError(thrown);
  if (error) expect(error.message).not.toMatch(SECRETS);
  return { error, thrown, tokens: counter.tokens };
}

const PROVIDERS = ['openai:gpt-4.1-mini', 'anthropic:claude-haiku-4-5', 'ollama:llama3.2'];

describe.each(PROVIDERS)('toModelError with %s', (spec) => {
  const provider = new LLMock({ port: 0, logLevel: 'silent', chunkSize: 4, latency: 5 });
  beforeAll(async () => {
    await provider.start();
  });
  afterEach(() => {
    provider.reset();
    provider.clearChaos();
  });
  afterAll(() => provider.stop());

  const ANSWER = { content: 'A long answer that is cut somewhere in the middle of its words.' };

  it.each([
    [400, 'MODEL_REFUSED', false],
    [401, 'MODEL_REFUSED', false],
    [403, 'MODEL_REFUSED', false],
    [404, 'MODEL_REFUSED', false],
    [429, 'MODEL_OVERLOADED', true],
    [500, 'MODEL_FAILED', true],
    [503, 'MODEL_OVERLOADED', true],
    [529, 'MODEL_OVERLOADED', true],
  ])("maps a provider's status %i to %s", async (status, code, retryable) => {
    provider.onMessage('question', {
      error: { message: "provider's own words: my private question" },
      status,
    });
    const { error } = await catchFailure(spec, provider.url);
    expect(error).toMatchObject({ code, retryable });
  });

  it.each<[string, ChaosConfig, string]>([
    ['dropped', { dropRate: 1 }, 'MODEL_FAILED'],
    ['answered with broken JSON', { malformedRate: 1 }, 'MODEL_FAILED'],
    ['rate limited', { rateLimitRate: 1 }, 'MODEL_OVERLOADED'],
    ['hung up on', { disconnectRate: 1 }, 'MODEL_UNREACHABLE'],
  ])('maps a request that is %s to a retryable error with the right code', async (_, chaos, code) => {
    provider.onMessage('question', ANSWER);
    provider.setChaos(chaos);
    expect((await catchFailure(spec, provider.url)).error).toMatchObject({ code, retryable: true });
  });

  it('maps a response that is cut in the middle to MODEL_FAILED, after some of its text has arrived', async () => {
    const cut: FixtureOpts = { truncateAfterChunks: 8 };
    provider.onMessage('question', ANSWER, cut);
    const { error, tokens } = await catchFailure(spec, provider.url);
    expect(error).toMatchObject({ code: 'MODEL_FAILED', retryable: true });
    expect(tokens).toBeGreaterThan(0);
  });

  it('maps a response that does not start in time to MODEL_UNREACHABLE', async () => {
    provider.onMessage('question', ANSWER);
    provider.setChaos({ latencyMs: 2_000 });
    expect((await catchFailure(spec, provider.url, 50)).error).toMatchObject({
      code: 'MODEL_UNREACHABLE',
      retryable: true,
    });
  });

  it('maps a refused connection to MODEL_UNREACHABLE', async () => {
    const port = await listen(
      (_, response) => response.end(),
      async (url) => Number(new URL(url).port),
    );
    const { error } = await catchFailure(spec, `http://127.0.0.1:${port}`);
    expect(error).toMatchObject({ code: 'MODEL_UNREACHABLE', retryable: true });
  });

  it('does not treat an abort as a failure of the provider', async () => {
    provider.onMessage('question', ANSWER);
    provider.setChaos({ latencyMs: 2_000 });
    const { error } = await catchFailure(spec, provider.url, 5_000, AbortSignal.abort());
    expect(error).toBeUndefined();
  });
});

describe('toModelError', () => {
  const OPENAI_START =
    'data: {"id":"x","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":"Hel"}}]}\n\n';
  const ANTHROPIC_START = [
    'event: message_start\ndata: {"type":"message_start","message":{"id":"m","role":"assistant","content":[],"model":"c","usage":{"input_tokens":1,"output_tokens":1}}}\n\n',
    'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n',
    'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hel"}}\n\n',
  ].join('');
  const OVERLOADED =
    'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n';

  it.each([
    ['openai:gpt-4.1-mini', 'closed cleanly', OPENAI_START, 'MODEL_FAILED'],
    [
      'openai:gpt-4.1-mini',
      'ended by an error',
      `${OPENAI_START}data: {"error":{"type":"server_error"}}\n\n`,
      'MODEL_FAILED',
    ],
    ['anthropic:claude-haiku-4-5', 'closed cleanly', ANTHROPIC_START, 'MODEL_FAILED'],
    ['anthropic:claude-haiku-4-5', 'ended by an overload', ANTHROPIC_START + OVERLOADED, 'MODEL_OVERLOADED'],
  ])('maps a stream of %s that is %s in the middle to a retryable error', async (spec, _, body, code) => {
    const answer: RequestListener = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(body);
    };
    const { error, tokens } = await listen(answer, (url) => catchFailure(spec, url));
    expect(error).toMatchObject({ code, retryable: true });
    expect(tokens).toBe(1);
  });

  it.each([
    ['openai:gpt-4.1-mini', "This model's maximum context length is 8192 tokens.", 'context_length_exceeded'],
    ['anthropic:claude-haiku-4-5', 'prompt is too long: 208310 tokens > 200000 maximum', undefined],
  ])('says that the conversation is too long when %s refuses it for that', async (spec, message, code) => {
    const provider = await LLMock.create({ port: 0, logLevel: 'silent' });
    provider.onMessage('question', { error: { message, code, type: 'invalid_request_error' }, status: 400 });
    const { error } = await catchFailure(spec, provider.url).finally(() => provider.stop());
    expect(error).toMatchObject({ code: 'MODEL_REFUSED', retryable: false });
    expect(error?.message).toContain('too long for this model');
  });

  it('marks a used-up quota as not retryable', async () => {
    const provider = await LLMock.create({ port: 0, logLevel: 'silent' });
    provider.onMessage('question', { error: { message: 'quota', code: 'insufficient_quota' }, status: 429 });
    const { error } = await catchFailure('openai:gpt-4.1-mini', provider.url).finally(() => provider.stop());
    expect(error).toMatchObject({ code: 'MODEL_REFUSED', retryable: false });
  });

  it("keeps status and codes of a provider's error, and none of its words", () => {
    const body = Object.assign(new Error('Incorrect API key provided: sk-secret'), {
      code: 'invalid_api_key',
    });
    const refused = Object.assign(new Error('401 sk-secret', { cause: body }), { status: 401 });
    const { cause } = toModelError(refused) as AppError;
    expect(cause).toMatchObject({ message: 'Error 401', cause: { message: 'Error invalid_api_key' } });
    const { stack, cause: inner } = cause as Error;
    expect(stack).toContain('model.errors.spec');
    expect(`${stack}${(inner as Error).stack}`).not.toContain('sk-secret');
  });

  it('returns an AppError unchanged, and undefined for errors that do not come from the provider', () => {
    const known = new AppError('TOOL_DENIED', 'No.');
    expect(toModelError(known)).toBe(known);
    expect(toModelError(new TypeError('x is not a function'))).toBeUndefined();
    expect(toModelError('text')).toBeUndefined();
  });
});

/** Serves on a free port while `use` runs. */
async function listen<Value>(answer: RequestListener, use: (url: string) => Promise<Value>): Promise<Value> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

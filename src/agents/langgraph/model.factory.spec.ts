import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { LLMock } from '@copilotkit/aimock';
import { AIMessageChunk } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { z } from 'zod';
import { createModel, parseModel } from './model.factory.js';

const OPTIONS = { timeoutMs: 5_000, maxRetries: 0 };
const weather = tool(() => 'sunny', {
  name: 'weather',
  description: 'The weather of a city.',
  schema: z.object({ city: z.string() }),
});

describe('createModel', () => {
  const provider = new LLMock({ port: 0, logLevel: 'silent', chunkSize: 4 });
  beforeAll(async () => {
    await provider.start();
  });
  afterEach(() => {
    provider.reset();
  });
  afterAll(() => provider.stop());

  const addresses = () => [
    ['openai:gpt-4.1-mini', `${provider.url}/v1`] as const,
    ['anthropic:claude-haiku-4-5', provider.url] as const,
    ['ollama:llama3.2:3b', provider.url] as const,
  ];

  it.each([0, 1, 2])('streams text and tool calls from provider %i at a custom address', async (index) => {
    const [spec, baseUrl] = addresses()[index]!;
    provider.onMessage('hello', { content: 'Hello from far away.' });
    provider.onMessage('weather', { toolCalls: [{ name: 'weather', arguments: '{"city":"Vienna"}' }] });
    const model = await createModel(spec, { ...OPTIONS, baseUrl, apiKey: 'test-key' });
    const texts: string[] = [];
    for await (const chunk of await model.stream('hello')) texts.push(chunk.text);
    expect(texts.join('')).toBe('Hello from far away.');
    expect(texts.filter(Boolean).length).toBeGreaterThan(2);

    let called: AIMessageChunk | undefined;
    const stream = await model.bindTools!([weather]).stream('weather?');
    for await (const chunk of stream) called = called?.concat(chunk) ?? chunk;
    expect(called?.tool_calls).toEqual([
      expect.objectContaining({ name: 'weather', args: { city: 'Vienna' } }),
    ]);
  });

  it('reports the usage of a streamed model call', async () => {
    provider.onMessage('hello', {
      content: 'Hello.',
      usage: { prompt_tokens: 11, completion_tokens: 3, total_tokens: 14 },
    });
    const model = await createModel('openai:gpt-4.1-mini', { ...OPTIONS, baseUrl: `${provider.url}/v1` });
    let whole: AIMessageChunk | undefined;
    for await (const chunk of await model.stream('hello')) whole = whole?.concat(chunk) ?? chunk;
    expect(whole?.usage_metadata).toMatchObject({ input_tokens: 11, output_tokens: 3, total_tokens: 14 });
  });

  it('retries a model call as often as maxRetries says', async () => {
    provider.onMessage('hello', { error: { message: 'later' }, status: 503 });
    const model = await createModel('openai:gpt-4.1-mini', {
      ...OPTIONS,
      maxRetries: 1,
      baseUrl: `${provider.url}/v1`,
    });
    await expect(model.invoke('hello')).rejects.toThrow();
    expect(provider.getRequests()).toHaveLength(2);
  });

  it('creates the demo model without a key', async () => {
    const model = await createModel('demo', { ...OPTIONS, demoPaceMs: 0 });
    expect((await model.invoke('Who are you?')).text).toContain('offline demo model');
  });

  it.each(['openai:gpt-4.1-mini', 'anthropic:claude-haiku-4-5'])(
    'refuses %s without its API key and names the option to set',
    async (spec) => {
      await expect(createModel(spec, OPTIONS)).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining('Set apiKey of createModel'),
      });
    },
  );
});

describe('parseModel', () => {
  it('parses a provider and a model name, which may contain colons', () => {
    expect(parseModel('demo')).toEqual({ provider: 'demo', model: '' });
    expect(parseModel(' openai:gpt-4.1 ')).toEqual({ provider: 'openai', model: 'gpt-4.1' });
    expect(parseModel('ollama:llama3.2:3b')).toEqual({ provider: 'ollama', model: 'llama3.2:3b' });
  });

  it.each(['', 'gpt-4', 'openai', 'openai:', 'demo:x', 'azure:gpt-4', 'openai:a b', 'demo '.repeat(2)])(
    'refuses the model %j and lists the valid forms',
    (spec) => {
      expect(() => parseModel(spec)).toThrow(
        'Write demo, openai:<model>, anthropic:<model> or ollama:<model>',
      );
    },
  );
});

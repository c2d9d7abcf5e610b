import { describe, expect, it } from '@jest/globals';
import OpenAI, { APIError } from 'openai';
import type { AuthOptions } from '../../src/auth/auth.options.js';
import { AppError } from '../../src/errors.js';
import { createAnswer } from '../../src/testing/scripted.agent.js';
import { chatServers, gate, type ChatServer, type Play } from '../support/chat.server.js';
import { collected } from '../support/collected.js';
import { nineWords, sayOneByOne } from '../support/plays.js';
import { until } from '../support/until.js';
import { demoServers } from './demo.server.js';

const WORDS = 'the quick brown fox jumps over the lazy dog'.split(' ').join('');
const ASK = { model: 'scripted', messages: [{ role: 'user', content: 'hello' }] } as const;
const RESPOND = { model: 'scripted', input: 'hello' } as const;

const openAi = (url: string, apiKey = 'none') =>
  new OpenAI({ baseURL: `${new URL(url).origin}/protocols/openai/v1`, apiKey, maxRetries: 0 });

/** The bearer token names the user; `none` names nobody. */
const BEARER_IS_USER: AuthOptions = {
  kind: 'host',
  getPrincipal: ({ headers }) => {
    const userId = headers.authorization?.replace('Bearer ', '') ?? 'none';
    return userId === 'none' ? undefined : { userId, tenant: 'here', roles: [] };
  },
};

/** Returns the error of a refused call. */
async function catchRefusal(call: PromiseLike<unknown>): Promise<APIError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof APIError) return error;
    throw error;
  }
  throw new Error('It was not refused.');
}

/** Says some, and the rest when it may. */
function inTwoHalves() {
  const half = gate();
  const rest = gate();
  const play: Play = async (_, context) => {
    await sayOneByOne(context, createAnswer(context, ['Half ', 'of ', 'it, '], 'first'));
    half.open();
    await Promise.race([
      rest.opened,
      new Promise((resolve) => context.signal.addEventListener('abort', resolve)),
    ]);
    context.signal.throwIfAborted();
    await sayOneByOne(context, createAnswer(context, ['and ', 'the ', 'rest.'], 'last'));
  };
  return { play, half: half.opened, goOn: () => rest.open() };
}

const start = chatServers();
const startDemo = demoServers();
const serve = (play: Play, options = {}) => start({ play, protocols: {}, ...options });
const listThreads = async (server: ChatServer) => (await server.call('GET', '/threads')).body['items'];

describe('OpenAI models', () => {
  it('lists the agents as OpenAI models', async () => {
    const server = await serve(nineWords);
    const models = await collected(openAi(server.url).models.list());
    expect(models.map(({ id }) => id)).toEqual(['scripted']);
  });
});

describe('OpenAI Chat Completions', () => {
  it('streams the text of a chat completion, and its token counts when asked for', async () => {
    const server = await serve(async (input, context) => {
      await nineWords(input, context);
      const parts = { cachedInputTokens: 2, reasoningTokens: 4 };
      const tokens = { inputTokens: 3, outputTokens: 9, totalTokens: 12, ...parts };
      await context.emit({ type: 'usage', ...tokens, model: 'm' });
    });
    const stream = openAi(server.url).chat.completions.stream({
      ...ASK,
      messages: [...ASK.messages],
      stream_options: { include_usage: true },
    });
    const completion = await stream.finalChatCompletion();
    expect(completion.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: WORDS } });
    expect(completion.usage).toMatchObject({ prompt_tokens: 3, completion_tokens: 9, total_tokens: 12 });
    expect(completion.usage).toMatchObject({
      prompt_tokens_details: { cached_tokens: 2 },
      completion_tokens_details: { reasoning_tokens: 4 },
    });
    const response = await openAi(server.url).responses.create(RESPOND);
    expect(response.usage).toMatchObject({
      input_tokens_details: { cached_tokens: 2 },
      output_tokens_details: { reasoning_tokens: 4 },
    });
  });

  it('returns a whole chat completion to clients that do not stream', async () => {
    const server = await serve(nineWords);
    const completion = await openAi(server.url).chat.completions.create({
      ...ASK,
      messages: [...ASK.messages],
    });
    expect(completion).toMatchObject({ object: 'chat.completion', model: 'scripted' });
    expect(completion.choices[0]?.message.content).toBe(WORDS);
  });

  it("uses the server's tools, and passes the conversation of the client to the agent", async () => {
    const client = openAi(await startDemo());
    const { choices } = await client.chat.completions.create({
      model: 'assistant',
      messages: [{ role: 'user', content: 'What is 17 times 23?' }],
    });
    expect(choices[0]?.message.content).toContain('391');

    const heard: string[] = [];
    const server = await serve((input) => void heard.push(input.message));
    await openAi(server.url).chat.completions.create({
      model: 'scripted',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'My name is Ann.' },
        { role: 'assistant', content: 'Hello Ann.' },
        { role: 'user', content: [{ type: 'text', text: 'What is my name?' }] },
      ],
    });
    expect(heard).toEqual([
      'system: Be brief.\n\nuser: My name is Ann.\n\nassistant: Hello Ann.\n\nuser: What is my name?',
    ]);
  });

  it('cancels the run when the client aborts a chat completion', async () => {
    const { play, half } = inTwoHalves();
    const aborted = gate();
    const server = await serve(async (input, context) => {
      context.signal.addEventListener('abort', () => aborted.open());
      await play(input, context);
    });
    const stream = await openAi(server.url).chat.completions.create({
      ...ASK,
      messages: [...ASK.messages],
      stream: true,
    });
    await half;
    stream.controller.abort();
    await aborted.opened;
  });

  it('reports the public message of a failed run, streamed or not, which the client does not retry', async () => {
    let asked = 0;
    const server = await serve(() => {
      asked += 1;
      throw new AppError('MODEL_OVERLOADED', 'The model is busy.');
    });
    const client = openAi(server.url).withOptions({ maxRetries: 2 });
    const body = { ...ASK, messages: [...ASK.messages] };
    const streamed = client.chat.completions
      .create({ ...body, stream: true })
      .then((stream) => collected(stream));
    expect(await catchRefusal(streamed)).toMatchObject({ message: 'The model is busy.' });
    const whole = await catchRefusal(client.chat.completions.create(body));
    expect(whole).toMatchObject({ status: 500, message: '500 The model is busy.' });
    expect(asked).toBe(2);
  });

  it('breaks the connection of a chat completion when the server closes in the middle of a run', async () => {
    const { play, half } = inTwoHalves();
    const server = await serve(play);
    const stream = await openAi(server.url).chat.completions.create({
      ...ASK,
      messages: [...ASK.messages],
      stream: true,
    });
    const read = collected(stream);
    await half;
    const closed = server.close();
    await expect(read).rejects.toThrow('terminated');
    await closed;
  });

  it("refuses chat completions with OpenAI's error types and our codes", async () => {
    const server = await serve(nineWords, { auth: BEARER_IS_USER });
    const client = openAi(server.url, 'ann');
    const messages = [...ASK.messages];
    const refused = (body: object, by = client) =>
      catchRefusal(by.chat.completions.create({ ...ASK, messages, ...body }));
    expect(await refused({}, openAi(server.url))).toMatchObject({
      status: 401,
      type: 'authentication_error',
      code: 'UNAUTHENTICATED',
    });
    expect(await refused({ model: 'gpt-9' })).toMatchObject({ status: 400, code: 'AGENT_UNKNOWN' });
    for (const body of [
      { messages: [] },
      { messages: [{ role: 'assistant', content: 'hi' }] },
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:,' } }] }] },
      { tools: [{ type: 'function', function: { name: 'mine' } }] },
    ])
      expect(await refused(body)).toMatchObject({ status: 400, code: 'REQUEST_INVALID' });
  });
});

describe('OpenAI Responses', () => {
  it('calls a tool, and continues from a previous response', async () => {
    const client = openAi(await startDemo());
    const stream = client.responses.stream({ model: 'assistant', input: 'What is 17 times 23?' });
    const first = await stream.finalResponse();
    expect(first.output).toMatchObject([
      { type: 'mcp_call', name: 'calculator', status: 'completed', output: expect.stringContaining('391') },
      { type: 'message', status: 'completed' },
    ]);
    expect(first.output_text).toContain('391');

    const second = await client.responses.create({
      model: 'assistant',
      input: 'What is the capital of Austria?',
      previous_response_id: first.id,
      metadata: { topic: 'geography' },
    });
    expect(second.output_text).toContain('Vienna');
    expect(second).toMatchObject({
      status: 'completed',
      previous_response_id: first.id,
      conversation: { id: first.conversation?.id },
      metadata: { topic: 'geography' },
      usage: { total_tokens: expect.any(Number) },
    });
  });

  it('runs a response in the background, and resumes it after any event without repeating it', async () => {
    const { play, half, goOn } = inTwoHalves();
    const server = await serve(play);
    const client = openAi(server.url);
    const stream = await client.responses.create({ ...RESPOND, background: true, stream: true });
    await half;
    const seen = [];
    for await (const event of stream) {
      seen.push(event);
      if (event.type === 'response.output_text.delta') break;
    }
    await until(() => server.readers === 0);

    const id = seen[0]?.type === 'response.created' ? seen[0].response.id : '';
    expect(await client.responses.retrieve(id)).toMatchObject({ status: 'in_progress', background: true });
    const last = seen.at(-1)!.sequence_number;
    const resumed = await client.responses.retrieve(id, { stream: true, starting_after: last });
    const viewer = client.responses.stream({ response_id: id });
    goOn();
    const rest = await collected(resumed);
    const whole = await collected(await client.responses.retrieve(id, { stream: true }));
    expect([...seen, ...rest]).toEqual(whole);
    expect(whole.at(-1)).toMatchObject({ type: 'response.completed', response: { status: 'completed' } });

    for (const response of [await viewer.finalResponse(), await client.responses.retrieve(id)])
      expect(response.output).toMatchObject([
        { type: 'message', content: [{ text: 'Half of it, ' }] },
        { type: 'message', content: [{ text: 'and the rest.' }] },
      ]);
    for (let cut = 0; cut < whole.length; cut++) {
      const after = await collected(
        await client.responses.retrieve(id, { stream: true, starting_after: cut }),
      );
      expect(after).toEqual(whole.slice(cut + 1));
    }
  });

  it('returns a queued response at once in the background without a stream', async () => {
    const { play, goOn } = inTwoHalves();
    const server = await serve(play);
    const client = openAi(server.url);
    const response = await client.responses.create({ ...RESPOND, background: true });
    expect(response).toMatchObject({ status: 'queued', background: true, output: [] });
    goOn();
    const viewer = client.responses.stream({ response_id: response.id });
    expect((await viewer.finalResponse()).status).toBe('completed');
  });

  it('cancels a background response and keeps the partial text', async () => {
    const { play, half } = inTwoHalves();
    const server = await serve(play);
    const client = openAi(server.url);
    const { id } = await client.responses.create({ ...RESPOND, background: true });
    const viewer = client.responses.stream({ response_id: id });
    await half;
    const cancelled = await client.responses.cancel(id);
    expect(cancelled).toMatchObject({
      status: 'cancelled',
      output: [{ content: [{ text: 'Half of it, ' }] }],
    });
    expect(await viewer.finalResponse()).toMatchObject({ status: 'cancelled' });
    expect(await client.responses.retrieve(id)).toMatchObject({ status: 'cancelled' });
  });

  it('cancels the run when the client leaves a response that is not in the background', async () => {
    const { play, half } = inTwoHalves();
    const server = await serve(play);
    const client = openAi(server.url);
    const stream = await client.responses.create({ ...RESPOND, stream: true });
    await half;
    let id = '';
    for await (const event of stream) {
      if (event.type === 'response.created') id = event.response.id;
      if (event.type === 'response.output_text.delta') break;
    }
    const viewer = client.responses.stream({ response_id: id });
    expect(await viewer.finalResponse()).toMatchObject({ status: 'cancelled' });
  });

  it('reports a failed response with its public message', async () => {
    const server = await serve(() => {
      throw new AppError('MODEL_OVERLOADED', 'The model is busy.');
    });
    const client = openAi(server.url);
    const failed = { status: 'failed', error: { code: 'server_error', message: 'The model is busy.' } };
    expect(await client.responses.create(RESPOND)).toMatchObject(failed);
    const events = await collected(await client.responses.create({ ...RESPOND, stream: true }));
    expect(events.at(-1)).toMatchObject({ type: 'response.failed', response: failed });
  });

  it('hides a response from other users, who may use the same conversation id', async () => {
    const { play, goOn } = inTwoHalves();
    const server = await serve(play, { auth: BEARER_IS_USER });
    const ann = openAi(server.url, 'ann');
    const { id, conversation } = await ann.responses.create({ ...RESPOND, background: true });
    expect(await catchRefusal(openAi(server.url).responses.retrieve(id))).toMatchObject({ status: 401 });
    const bob = openAi(server.url, 'bob').responses;
    for (const call of [
      bob.retrieve(id),
      bob.retrieve(id, { stream: true }),
      bob.cancel(id),
      bob.create({ ...RESPOND, previous_response_id: id }),
    ])
      expect(await catchRefusal(call)).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    goOn();
    const viewer = ann.responses.stream({ response_id: id });
    expect((await viewer.finalResponse()).status).toBe('completed');
    // What he calls by the same name is a conversation of his own.
    const own = await bob.create({ ...RESPOND, conversation: conversation?.id ?? '' });
    expect(own.conversation).toEqual(conversation);
    expect(await catchRefusal(ann.responses.retrieve(own.id))).toMatchObject({ status: 404 });
  });

  it('answers 404 to an unknown response, and 400 to an invalid starting_after', async () => {
    const server = await serve(nineWords);
    const { responses } = openAi(server.url);
    expect(await catchRefusal(responses.retrieve('resp_nobody'))).toMatchObject({ status: 404 });
    expect(await catchRefusal(responses.retrieve('nonsense'))).toMatchObject({ status: 404 });
    const { id } = await responses.create(RESPOND);
    const refused = responses.retrieve(id, { stream: true, starting_after: -5 });
    expect(await catchRefusal(refused)).toMatchObject({ status: 400 });
    expect(await listThreads(server)).toHaveLength(1);
  });
});

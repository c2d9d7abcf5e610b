import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from '@jest/globals';
import {
  BaseCallbackHandler,
  type NewTokenIndices,
  type HandleLLMNewTokenCallbackFields,
} from '@langchain/core/callbacks/base';
import {
  AIMessage,
  AIMessageChunk,
  HumanMessage,
  ToolMessage,
  type BaseMessage,
} from '@langchain/core/messages';
import type { ChatGenerationChunk } from '@langchain/core/outputs';
import { tool } from '@langchain/core/tools';
import { MemorySaver } from '@langchain/langgraph';
import { createAgent } from 'langchain';
import { z } from 'zod';
import { evaluateExpression } from '../tools/library/calculator/expression.js';
import { createCountries } from '../tools/library/data-lookup/countries.database.js';
import { ANSWER_TO_COME } from '../agents/langgraph/repair-history.js';
import { DemoModel } from './demo.model.js';

const database = new DatabaseSync(':memory:');
createCountries(database);

const calculator = tool(({ expression }) => ({ expression, result: evaluateExpression(expression) }), {
  name: 'calculator',
  description: 'Compute an arithmetic expression.',
  schema: z.object({ expression: z.string() }),
});
const lookup = tool(
  ({ sql }) => {
    const statement = database.prepare(sql ?? '');
    statement.setReturnArrays(true);
    return { columns: statement.columns().map(({ name }) => name), rows: statement.all(), truncated: false };
  },
  {
    name: 'data_lookup',
    description: 'Read from the SQL database.',
    schema: z.object({ sql: z.string().optional() }),
  },
);
const search = tool(
  () => {
    throw new Error(
      'Web search is not configured. Set TAVILY_API_KEY, or SEARXNG_URL to a SearXNG instance.',
    );
  },
  { name: 'web_search', description: 'Search the public web.', schema: z.object({ query: z.string() }) },
);
const TOOLS = [calculator, lookup, search];

/** Collects what a model streams, as the production handler does: awaited, never in the background. */
class TokenCollector extends BaseCallbackHandler {
  override readonly name = 'token-collector';
  override awaitHandlers = true;
  readonly lc_prefer_streaming = true;
  readonly chunks: AIMessageChunk[] = [];

  override handleLLMNewToken(
    _token: string,
    _at: NewTokenIndices,
    _runId: string,
    _parentRunId?: string,
    _tags?: string[],
    fields?: HandleLLMNewTokenCallbackFields,
  ): void {
    const chunk = fields?.chunk as ChatGenerationChunk | undefined;
    if (chunk) this.chunks.push(chunk.message as AIMessageChunk);
  }

  get text(): string {
    return this.chunks.map((chunk) => chunk.text).join('');
  }
}

describe('DemoModel in createAgent', () => {
  const agent = createAgent({
    model: new DemoModel({ paceMs: 0 }),
    tools: TOOLS,
    checkpointer: new MemorySaver(),
  });

  async function ask(message: string, thread: string) {
    const tokens = new TokenCollector();
    const { messages } = await agent.invoke(
      { messages: [new HumanMessage(message)] },
      { callbacks: [tokens], configurable: { thread_id: thread } },
    );
    return { tokens, messages: messages as BaseMessage[], answer: messages.at(-1)?.text ?? '' };
  }

  it('calls a tool and streams every word of its reply in pieces', async () => {
    const { tokens, messages, answer } = await ask('What is 17% of 3,482?', 'a');
    expect(messages.map((message) => message.type)).toEqual(['human', 'ai', 'tool', 'ai']);
    expect((messages[1] as AIMessage).tool_calls).toEqual([
      { id: 'demo-1-1', name: 'calculator', args: { expression: '3482 * 17 / 100' }, type: 'tool_call' },
    ]);
    expect(answer).toContain('**591.94**');
    expect(tokens.text).toBe(answer);
    expect(tokens.chunks.filter((chunk) => chunk.text !== '').length).toBeGreaterThan(5);
  });

  it('streams a tool call as providers do, with id and name first and arguments in pieces', async () => {
    const { tokens } = await ask('Which countries border Austria?', 'b');
    const pieces = tokens.chunks.flatMap((chunk) => chunk.tool_call_chunks ?? []);
    expect(pieces[0]).toMatchObject({ index: 0, id: 'demo-1-1', name: 'data_lookup', args: '' });
    expect(pieces.slice(1).every(({ id, name }) => id === undefined && name === undefined)).toBe(true);
    expect(JSON.parse(pieces.map(({ args }) => args).join(''))).toEqual({
      sql: expect.stringContaining("'AUT'"),
    });
  });

  it('uses the earlier messages of the thread and signs only its first reply', async () => {
    const first = await ask('Which countries border Austria and what are their capitals?', 'c');
    expect(first.answer).toContain('| Slovakia | Bratislava | 49,037 |');
    expect(first.answer).toContain('openai:<model>');
    const second = await ask('what about Hungary?', 'c');
    expect(second.answer).toMatch(/^Countries that border Hungary/);
    expect(second.answer).toContain('| Romania | Bucharest |');
    expect(second.answer).not.toContain('openai:<model>');
  });

  it('makes two tool calls at once and reports both results', async () => {
    const { messages, answer } = await ask('What is 2+2 and what is the capital of Peru?', 'd');
    expect((messages[1] as AIMessage).tool_calls).toHaveLength(2);
    expect(answer).toContain('`2+2` = **4**');
    expect(answer).toContain('Lima');
  });

  it('replies to a message of a million spaces', async () => {
    const { answer } = await ask(' '.repeat(1_000_000), 'i');
    expect(answer).toContain('I have no rule for this question');
  });

  it('says that a tool is not configured and what to set', async () => {
    const { answer } = await ask('Search the web for cats', 'e');
    expect(answer).toContain(
      'The web could not be searched. Web search is not configured. Set TAVILY_API_KEY, or SEARXNG_URL to a SearXNG instance.',
    );
  });

  it('reports the usage of each model call once', async () => {
    const { tokens } = await ask('What is 2+2?', 'f');
    const usages = tokens.chunks.flatMap((chunk) => chunk.usage_metadata ?? []);
    expect(usages).toHaveLength(2);
    for (const usage of usages) {
      expect(usage.output_tokens).toBeGreaterThan(0);
      expect(usage.total_tokens).toBe(usage.input_tokens + usage.output_tokens);
    }
  });

  it('repeats the same texts and ids for the same messages in another thread', async () => {
    const plain = async (thread: string) => {
      const { messages } = await ask('What is 3 * 4 and what is the capital of Peru?', thread);
      return messages.map((message) => [message.text, (message as AIMessage).tool_calls]);
    };
    expect(await plain('g')).toEqual(await plain('h'));
  });
});

describe('DemoModel without an agent', () => {
  it('says that it is the demo model and how to set a real one', async () => {
    const { text } = await new DemoModel({ paceMs: 0 }).bindTools(TOOLS).invoke('Who are you?');
    expect(text).toContain('offline demo model');
    // In a host, whose options have other names than the app's settings.
    expect(text).toContain('`spec of createModel` to `openai:<model>`');
    expect(text).not.toMatch(/MODEL|API_KEY/);
    expect(text).toContain('What is 17% of 3,482?');
  });

  it('says that it has no answer instead of making one up', async () => {
    const { text } = await new DemoModel({ paceMs: 0 })
      .bindTools(TOOLS)
      .invoke('Who won the 1998 world cup?');
    expect(text).toContain('I will not make up an answer');
  });

  it('calls no tool when none is bound, and says which it would need', async () => {
    const message = await new DemoModel({ paceMs: 0 }).invoke('What is 2+2?');
    expect(message.tool_calls).toEqual([]);
    expect(message.text).toContain('That needs a calculator.');
  });

  it('says that a call was denied, and uses the result of edited arguments', async () => {
    const answerTo = async (content: string, status: 'error' | 'success') => {
      const call = { id: 'x', name: 'calculator', args: { expression: '2+2' } };
      const answered = new ToolMessage({ tool_call_id: 'x', status, content });
      const asked = [new HumanMessage('What is 2+2?'), new AIMessage({ content: '', tool_calls: [call] })];
      return (await new DemoModel({ paceMs: 0 }).bindTools(TOOLS).invoke([...asked, answered])).text;
    };
    expect(await answerTo("The call of 'calculator' was not approved.", 'error')).toContain(
      'You did not approve the use of `calculator`.',
    );
    const changed = { note: 'Changed.', arguments: { expression: '3+3' }, result: { result: '6' } };
    expect(await answerTo(JSON.stringify(changed), 'success')).toContain('**6**');
  });

  it('answers the questions whose answer is still to come together with the last one', async () => {
    const model = new DemoModel({ paceMs: 0 }).bindTools(TOOLS);
    const first = [new HumanMessage('What is 2+2?')];
    const call = await model.invoke(first);
    const result = new ToolMessage({ tool_call_id: call.tool_calls![0]!.id!, content: '{"result":"4"}' });
    const toCome = new AIMessage(ANSWER_TO_COME);
    const second = new HumanMessage('And what is 3+4?');

    const afterResult = [...first, call, result, toCome, second];
    const next = await model.invoke(afterResult);
    expect(next.tool_calls?.map(({ args }) => args)).toEqual([{ expression: '3+4' }]);
    const nextResult = new ToolMessage({ tool_call_id: next.tool_calls![0]!.id!, content: '{"result":"7"}' });
    const { text } = await model.invoke([...afterResult, next, nextResult]);
    expect(text).toMatch(/\*\*4\*\*[^]*\*\*7\*\*/);

    const beforeAll = await model.invoke([...first, toCome, second]);
    expect(beforeAll.tool_calls?.map(({ args }) => args)).toEqual([
      { expression: '2+2' },
      { expression: '3+4' },
    ]);
  });

  it('hides the error message of a failed tool', async () => {
    const message = await new DemoModel({ paceMs: 0 }).bindTools(TOOLS).invoke([
      new HumanMessage('What is 2+2?'),
      new AIMessage({
        content: '',
        tool_calls: [{ id: 'x', name: 'calculator', args: { expression: '2+2' } }],
      }),
      new ToolMessage({
        tool_call_id: 'x',
        status: 'error',
        content: 'Error: EACCES /srv/secret\n at file:///srv/x.js',
      }),
    ]);
    expect(message.text).toContain('The calculator could not compute this.');
    expect(message.text).not.toContain('/srv');
  });

  it('returns the same text from invoke as from stream', async () => {
    const model = new DemoModel({ paceMs: 0 });
    let streamed: AIMessageChunk | undefined;
    for await (const chunk of await model.stream('hello')) streamed = streamed?.concat(chunk) ?? chunk;
    const whole = await model.invoke('hello');
    expect(streamed?.text).toBe(whole.text);
    expect(streamed?.usage_metadata).toMatchObject(whole.usage_metadata ?? {});
  });

  it('stops a reply between words when it is aborted', async () => {
    const controller = new AbortController();
    const answer = new DemoModel({ paceMs: 60_000 }).invoke('hello', {
      signal: controller.signal,
      callbacks: [new TokenCollector()],
    });
    controller.abort();
    await expect(answer).rejects.toThrow(/abort/i);
  });

  it('keeps the pace between the words of a reply', async () => {
    const started = performance.now();
    let words = 0;
    for await (const chunk of await new DemoModel({ paceMs: 5 }).stream('thanks'))
      words += Number(chunk.text !== '');
    expect(words).toBeGreaterThan(8);
    // A timer may fire up to a millisecond early.
    expect(performance.now() - started).toBeGreaterThanOrEqual(words * 4);
  });
});

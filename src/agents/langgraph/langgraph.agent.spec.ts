import { afterEach, describe, expect, it } from '@jest/globals';
import { AIMessage, HumanMessage, ToolMessage } from '@langchain/core/messages';
import { createAgent } from 'langchain';
import { foldRun, textOf } from '../../events/run-view.js';
import { ADA, typesOf } from '../../runs/run.testing.js';
import {
  noteTool,
  call,
  hang,
  stackWith,
  chat,
  graphAgent,
  scripted,
  expectValid,
  endOf,
  toolEnds,
  reached,
  closeStacks,
} from './langgraph.stack.testing.js';
import { answersOf } from './langgraph.testing.js';
import { toolMiddleware } from './tool.middleware.js';

afterEach(closeStacks);

describe('an agent of LangChain', () => {
  it('tells a turn with a tool in order, and its words are the final message', async () => {
    const model = scripted((messages) =>
      answersOf(messages).length > 0
        ? { words: ['It ', 'is ', 'x.'] }
        : { words: ['Let me see. '], calls: [call('c1')] },
    );
    const stack = await stackWith(chat(model), { tools: [noteTool('note', ({ note }) => note)] });
    const { log, threadId } = await stack.answerTo('What is it?');
    expect(typesOf(log).filter((type) => type !== 'text-delta')).toEqual([
      'run-start',
      'step-start',
      'text-start',
      'text-end',
      'usage',
      'step-end',
      'step-start',
      'tool-start',
      'tool-end',
      'step-end',
      'step-start',
      'text-start',
      'text-end',
      'usage',
      'step-end',
      'end',
    ]);
    const messages = await stack.messagesOf(threadId);
    const said = messages.filter((message) => AIMessage.isInstance(message)).map(({ text }) => text);
    expect(said.join('')).toBe(textOf(foldRun('', log)));
    expect(said.at(-1)).toBe('It is x.');
    expect(endOf({ log })).toMatchObject({ outcome: 'completed', usage: { totalTokens: 6 } });
  });

  it('runs tools side by side, each in a step of its own', async () => {
    const both = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
    const meets = (own: 0 | 1) => async () => {
      both[own].resolve();
      await both[1 - own]?.promise;
      return 'met';
    };
    const model = scripted((messages) =>
      answersOf(messages).length > 0 ? { words: ['Done.'] } : { calls: [call('a', 'one'), call('b', 'two')] },
    );
    const tools = [noteTool('one', meets(0)), noteTool('two', meets(1))];
    const { log } = await (await stackWith(chat(model), { tools })).answerTo('Both!');
    expect(toolEnds(log).sort()).toEqual(['a ok', 'b ok']);
    const starts = log.flatMap(({ event }) => (event.type === 'tool-start' ? [event.stepId] : []));
    expect(new Set(starts).size).toBe(2);
  });

  it('sees the first turn in the second', async () => {
    const model = scripted((messages) => ({
      words: [
        messages
          .filter((message) => HumanMessage.isInstance(message))
          .map(({ text }) => text)
          .join(' & '),
      ],
    }));
    const stack = await stackWith(chat(model));
    const { threadId } = await stack.answerTo('one');
    expect((await stack.answerTo('two', threadId)).text).toBe('one & two');
  });

  it('concludes the calls that LangChain is silent about: unknown tool, no JSON, no object, no fit', async () => {
    const calls = [
      call('u', 'nothing'),
      call('j', 'note', '{"note":'),
      call('n', 'note', 'null'),
      call('m', 'note', '{}'),
    ];
    const model = scripted((messages) =>
      answersOf(messages).length > 0 ? { words: ['Sorry.'] } : { calls },
    );
    const stack = await stackWith(chat(model), {
      tools: [noteTool('note', () => expect('the tool').toBe('not called'))],
    });
    const { log, text } = await stack.answerTo('Go');
    expect(toolEnds(log).sort()).toEqual([
      'j invalid-input',
      'm invalid-input',
      'n invalid-input',
      'u unknown-tool',
    ]);
    expect(text).toBe('Sorry.');
    const told = answersOf(model.asked[1] ?? []);
    expect(told.map(({ status }) => status)).toEqual(Array(4).fill('error'));
    expect(told.map(({ text: words }) => words).join()).not.toMatch(/node_modules|\.ts:/);
  });

  it('goes on after a result that JSON cannot say', async () => {
    const model = scripted((messages) =>
      answersOf(messages).length > 0 ? { words: ['Ok.'] } : { calls: [call('c')] },
    );
    const { log } = await (
      await stackWith(chat(model), { tools: [noteTool('note', () => 5n)] })
    ).answerTo('Go');
    expect([toolEnds(log), endOf({ log })]).toMatchObject([['c ok'], { outcome: 'completed' }]);
  });

  it('stops in the middle of its words, and a new turn works', async () => {
    const model = scripted((_, turn) =>
      turn === 1 ? { words: ['Half of'], hold: hang } : { words: ['Whole.'] },
    );
    const stack = await stackWith(chat(model));
    const { id, threadId } = await stack.ask('Go');
    await reached(stack, id, ({ type }) => type === 'text-delta');
    await stack.runs.cancel(ADA, id);
    const log = await stack.logOf(id);
    expectValid(log);
    expect([textOf(foldRun(id, log)), endOf({ log })]).toMatchObject(['Half of', { outcome: 'cancelled' }]);
    expect((await stack.answerTo('Again', threadId)).text).toBe('Whole.');
  });

  it('stops in a tool beside one that is done, and a new turn works: every call has its answer', async () => {
    const model = scripted((messages, turn) =>
      turn === 1 ? { calls: [call('quick', 'quick'), call('slow', 'slow')] } : { words: ['Whole.'] },
    );
    const tools = [noteTool('quick', () => 'done'), noteTool('slow', (_, { signal }) => hang(signal))];
    const stack = await stackWith(chat(model), { tools });
    const { id, threadId } = await stack.ask('Go');
    await Promise.all([
      reached(stack, id, (event) => event.type === 'tool-end'),
      reached(stack, id, (event) => event.type === 'tool-start' && event.toolCallId === 'slow'),
      reached(stack, id, (event) => event.type === 'step-end' && event.name === 'tools'),
    ]);
    await stack.runs.cancel(ADA, id);
    const log = await stack.logOf(id);
    expectValid(log);
    expect(toolEnds(log)).toEqual(['quick ok', 'slow cancelled']);
    const again = await stack.answerTo('Again', threadId);
    expect(endOf(again)).toMatchObject({ outcome: 'completed' });
    const answers = model.asked[1]?.filter((message) => ToolMessage.isInstance(message)) ?? [];
    expect(answers.map(({ text }) => text)).toEqual(['done', 'The call was cancelled before it ended.']);
  });

  it('fails with MODEL_FAILED when the model breaks off, and keeps what was said', async () => {
    const failure = Object.assign(new TypeError('terminated'), {
      cause: { name: 'Error', message: 'x', code: 'UND_ERR_SOCKET' },
    });
    const stack = await stackWith(chat(scripted(() => ({ words: ['Half of'], failure }))));
    const { log, text } = await stack.answerTo('Go');
    expect(text).toBe('Half of');
    expect(endOf({ log })).toMatchObject({
      outcome: 'failed',
      error: { code: 'MODEL_FAILED', retryable: true },
    });
  });

  it('fails with RUN_LIMIT when it goes round in circles', async () => {
    const model = scripted((_, turn) => ({ calls: [call(`c${turn}`)] }));
    const stack = await stackWith(
      (storage, tracking, registry) => {
        const middleware = [toolMiddleware(registry, tracking)];
        const { graph } = createAgent({ model, tools: [], middleware });
        return graphAgent(graph, 10)(storage, tracking, registry);
      },
      { tools: [noteTool('note', () => 'again')] },
    );
    expect(endOf(await stack.answerTo('Go'))).toMatchObject({
      outcome: 'failed',
      error: { code: 'RUN_LIMIT' },
    });
  });
});

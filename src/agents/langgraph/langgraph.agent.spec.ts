import { afterEach, describe, expect, it } from '@jest/globals';
import { AIMessage, HumanMessage, ToolMessage } from '@langchain/core/messages';
import { createAgent } from 'langchain';
import { foldRun, getText } from '../../events/run-view.js';
import { ADA, listTypes } from '../../runs/run.testing.js';
import {
  noteTool,
  call,
  hang,
  stackWith,
  chat,
  graphAgent,
  scripted,
  expectValid,
  getEnd,
  toolEnds,
  reached,
  closeStacks,
} from './langgraph-stack.testing.js';
import { findToolMessages } from './langgraph.testing.js';
import { toolMiddleware } from './tool.middleware.js';

afterEach(closeStacks);

describe('LangGraphAgent with an agent of LangChain', () => {
  it('reports a turn with a tool in order, with the same text as the stored messages', async () => {
    const model = scripted((messages) =>
      findToolMessages(messages).length > 0
        ? { chunks: ['It ', 'is ', 'x.'] }
        : { chunks: ['Let me see. '], calls: [call('c1')] },
    );
    const stack = await stackWith(chat(model), { tools: [noteTool('note', ({ note }) => note)] });
    const { log, threadId } = await stack.answerTo('What is it?');
    expect(listTypes(log).filter((type) => type !== 'text-delta')).toEqual([
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
    const messages = await stack.readMessages(threadId);
    const said = messages.filter((message) => AIMessage.isInstance(message)).map(({ text }) => text);
    expect(said.join('')).toBe(getText(foldRun('', log)));
    expect(said.at(-1)).toBe('It is x.');
    expect(getEnd({ log })).toMatchObject({ outcome: 'completed', usage: { totalTokens: 6 } });
  });

  it('runs the tool calls of a step in parallel, each in a step of its own', async () => {
    const both = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
    const meets = (own: 0 | 1) => async () => {
      both[own].resolve();
      await both[1 - own]?.promise;
      return 'met';
    };
    const model = scripted((messages) =>
      findToolMessages(messages).length > 0
        ? { chunks: ['Done.'] }
        : { calls: [call('a', 'one'), call('b', 'two')] },
    );
    const tools = [noteTool('one', meets(0)), noteTool('two', meets(1))];
    const { log } = await (await stackWith(chat(model), { tools })).answerTo('Both!');
    expect(toolEnds(log).sort()).toEqual(['a ok', 'b ok']);
    const starts = log.flatMap(({ event }) => (event.type === 'tool-start' ? [event.stepId] : []));
    expect(new Set(starts).size).toBe(2);
  });

  it('passes the messages of the first turn to the model in the second', async () => {
    const model = scripted((messages) => ({
      chunks: [
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

  it('ends calls to unknown tools and calls with invalid arguments, and tells the model about each', async () => {
    const calls = [
      call('u', 'nothing'),
      call('j', 'note', '{"note":'),
      call('n', 'note', 'null'),
      call('m', 'note', '{}'),
    ];
    const model = scripted((messages) =>
      findToolMessages(messages).length > 0 ? { chunks: ['Sorry.'] } : { calls },
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
    const told = findToolMessages(model.requests[1] ?? []);
    expect(told.map(({ status }) => status)).toEqual(Array(4).fill('error'));
    expect(told.map(({ text: words }) => words).join()).not.toMatch(/node_modules|\.ts:/);
  });

  it('continues a run after a tool result that JSON cannot represent', async () => {
    const model = scripted((messages) =>
      findToolMessages(messages).length > 0 ? { chunks: ['Ok.'] } : { calls: [call('c')] },
    );
    const { log } = await (
      await stackWith(chat(model), { tools: [noteTool('note', () => 5n)] })
    ).answerTo('Go');
    expect([toolEnds(log), getEnd({ log })]).toMatchObject([['c ok'], { outcome: 'completed' }]);
  });

  it("stops a model's text in the middle when the run is cancelled, and serves the next turn", async () => {
    const model = scripted((_, turn) =>
      turn === 1 ? { chunks: ['Half of'], hold: hang } : { chunks: ['Whole.'] },
    );
    const stack = await stackWith(chat(model));
    const { id, threadId } = await stack.ask('Go');
    await reached(stack, id, ({ type }) => type === 'text-delta');
    await stack.runs.cancel(ADA, id);
    const log = await stack.readLog(id);
    expectValid(log);
    expect([getText(foldRun(id, log)), getEnd({ log })]).toMatchObject(['Half of', { outcome: 'cancelled' }]);
    expect((await stack.answerTo('Again', threadId)).text).toBe('Whole.');
  });

  it('stops a running tool when the run is cancelled, and gives every call a result in the next turn', async () => {
    const model = scripted((messages, turn) =>
      turn === 1 ? { calls: [call('quick', 'quick'), call('slow', 'slow')] } : { chunks: ['Whole.'] },
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
    const log = await stack.readLog(id);
    expectValid(log);
    expect(toolEnds(log)).toEqual(['quick ok', 'slow cancelled']);
    const again = await stack.answerTo('Again', threadId);
    expect(getEnd(again)).toMatchObject({ outcome: 'completed' });
    const answers = model.requests[1]?.filter((message) => ToolMessage.isInstance(message)) ?? [];
    expect(answers.map(({ text }) => text)).toEqual(['done', 'The call was cancelled before it ended.']);
  });

  it('fails the run with MODEL_FAILED and keeps the partial text when the model stream is cut', async () => {
    const failure = Object.assign(new TypeError('terminated'), {
      cause: { name: 'Error', message: 'x', code: 'UND_ERR_SOCKET' },
    });
    const stack = await stackWith(chat(scripted(() => ({ chunks: ['Half of'], failure }))));
    const { log, text } = await stack.answerTo('Go');
    expect(text).toBe('Half of');
    expect(getEnd({ log })).toMatchObject({
      outcome: 'failed',
      error: { code: 'MODEL_FAILED', retryable: true },
    });
  });

  it('fails the run with RUN_LIMIT when the agent loops past its recursion limit', async () => {
    const model = scripted((_, turn) => ({ calls: [call(`c${turn}`)] }));
    const stack = await stackWith(
      (storage, tracking, registry) => {
        const middleware = [toolMiddleware(registry, tracking)];
        const { graph } = createAgent({ model, tools: [], middleware });
        return graphAgent(graph, { recursionLimit: 10 })(storage, tracking, registry);
      },
      { tools: [noteTool('note', () => 'again')] },
    );
    expect(getEnd(await stack.answerTo('Go'))).toMatchObject({
      outcome: 'failed',
      error: { code: 'RUN_LIMIT' },
    });
  });
});

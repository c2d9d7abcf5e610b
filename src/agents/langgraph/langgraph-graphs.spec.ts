import { afterEach, describe, expect, it } from '@jest/globals';
import { AIMessage, HumanMessage, ToolMessage, type BaseMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { FakeListChatModel } from '@langchain/core/utils/testing';
import {
  Annotation,
  END,
  MessagesAnnotation,
  START,
  StateGraph,
  type LangGraphRunnableConfig,
} from '@langchain/langgraph';
import { ToolNode } from '@langchain/langgraph/prebuilt';
import { z } from 'zod';
import { AppError } from '../../errors.js';
import {
  noteTool,
  call,
  stackWith,
  chat,
  graphAgent,
  scripted,
  getEnd,
  toolEnds,
  closeStacks,
} from './langgraph-stack.testing.js';
import { CANCELLED } from './repair-history.js';
import { findToolMessages } from './langgraph.testing.js';

afterEach(closeStacks);

const readError = (answered: Parameters<typeof getEnd>[0]) => {
  const ended = getEnd(answered);
  return ended?.type === 'end' ? ended.error : undefined;
};

describe('a custom graph', () => {
  const asks = (...ids: string[]) =>
    new AIMessage({
      content: '',
      tool_calls: ids.map((id) => ({ id, name: 'note', args: {}, type: 'tool_call' as const })),
    });

  it('repairs a thread in which a tool call was answered late or never', async () => {
    const seen: string[][] = [];
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('model', ({ messages }) => {
        seen.push(messages.map((message) => message.text || message.type));
        return seen.length > 1
          ? { messages: [new AIMessage('Fine.')] }
          : { messages: [asks('c1', 'c2', 'c3')] };
      })
      .addNode('one', () => ({
        messages: seen.length > 1 ? [] : [new ToolMessage({ tool_call_id: 'c1', content: 'first' })],
      }))
      .addNode('over', () => ({
        messages:
          seen.length > 1
            ? []
            : [new AIMessage('Over.'), new ToolMessage({ tool_call_id: 'c2', content: 'second' })],
      }))
      .addEdge(START, 'model')
      .addEdge('model', 'one')
      .addEdge('one', 'over')
      .compile();
    const stack = await stackWith(graphAgent(graph));
    const { threadId } = await stack.answerTo('One');
    const answered = await stack.answerTo('Two', threadId);
    expect(seen[1]).toEqual(['One', 'ai', 'first', 'second', CANCELLED, 'Over.', 'Two']);
    expect(answered.text).toBe('Fine.');
    const kept = await stack.readMessages(threadId);
    expect(kept.map((message) => message.text || message.type)).toEqual([...seen[1]!, 'Fine.']);
  });

  it('repairs a thread without removal messages when the graph has its own reducer', async () => {
    const State = Annotation.Root({
      messages: Annotation<BaseMessage[]>({
        reducer: (left, right) => left.concat(right),
        default: () => [],
      }),
    });
    const seen: string[][] = [];
    const graph = new StateGraph(State)
      .addNode('model', ({ messages }) => {
        seen.push(messages.map((message) => message.text || message.type));
        return {
          messages: seen.length > 1 ? [new AIMessage('Fine.')] : [asks('c1'), new AIMessage('Over.')],
        };
      })
      .addEdge(START, 'model')
      .compile();
    const stack = await stackWith(graphAgent(graph));
    const { threadId } = await stack.answerTo('One');
    await stack.answerTo('Two', threadId);
    expect(seen[1]).toEqual(['One', 'ai', 'Over.', CANCELLED, 'Two']);
  });

  const ToolInput = z.object({ note: z.string() });

  it("reports the graph's own tools and the calls that its ToolNode answers without making them", async () => {
    const own = tool(({ note }) => note, { name: 'own', description: 'Own.', schema: ToolInput });
    const broken = tool(
      () => {
        throw new Error('10.0.0.7 refused');
      },
      { name: 'broken', description: 'Breaks.', schema: ToolInput },
    );
    const model = scripted((messages) =>
      findToolMessages(messages).length > 0
        ? { chunks: ['Done.'] }
        : {
            calls: [
              call('ok', 'own'),
              call('misfit', 'own', '{"note":1}'),
              call('unknown', 'nothing'),
              call('broken', 'broken'),
            ],
          },
    );
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('model', async ({ messages }) => ({ messages: [await model.invoke(messages)] }))
      .addNode('tools', new ToolNode([own, broken]))
      .addEdge(START, 'model')
      .addConditionalEdges('model', ({ messages }) =>
        (messages.at(-1) as AIMessage).tool_calls?.length ? 'tools' : END,
      )
      .addEdge('tools', 'model')
      .compile();
    const { log, text } = await (await stackWith(graphAgent(graph))).answerTo('Go');
    expect(text).toBe('Done.');
    expect(toolEnds(log).sort()).toEqual([
      'broken error',
      'misfit invalid-input',
      'ok ok',
      'unknown unknown-tool',
    ]);
    expect(JSON.stringify(log)).not.toMatch(/10\.0\.0\.7|node_modules/);
  });

  it('does not report the tools of earlier turns again when a node returns the whole conversation', async () => {
    const own = tool(({ note }) => note, { name: 'own', description: 'Own.', schema: ToolInput });
    const model = scripted((_, turn) => (turn === 1 ? { calls: [call('c', 'own')] } : { chunks: ['Done.'] }));
    const inner = new StateGraph(MessagesAnnotation)
      .addNode('model', async ({ messages }) => ({ messages: [await model.invoke(messages)] }))
      .addNode('tools', new ToolNode([own]))
      .addEdge(START, 'model')
      .addConditionalEdges('model', ({ messages }) =>
        (messages.at(-1) as AIMessage).tool_calls?.length ? 'tools' : END,
      )
      .addEdge('tools', 'model')
      .compile();
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('inner', inner)
      .addEdge(START, 'inner')
      .compile();
    const stack = await stackWith(graphAgent(graph));
    const { log, threadId } = await stack.answerTo('one');
    expect(toolEnds(log)).toEqual(['c ok']);
    expect(toolEnds((await stack.answerTo('two', threadId)).log)).toEqual([]);
  });

  it('emits text from nodes without a model and from a model that does not stream, each once', async () => {
    const model = new FakeListChatModel({ responses: ['All at once.'], disableStreaming: true });
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('greet', ({ messages }) => ({
        messages: [new AIMessage(`You said: ${messages.at(-1)?.text}`)],
      }))
      .addNode('think', async ({ messages }) => ({ messages: [await model.invoke(messages)] }))
      // Hands on what was said before: nobody wants to read it twice.
      .addNode('review', ({ messages }) => ({ messages: messages.slice(-2) }))
      .addEdge(START, 'greet')
      .addEdge('greet', 'think')
      .addEdge('think', 'review')
      .addEdge('review', END)
      .compile();
    const stack = await stackWith(graphAgent(graph));
    const first = await stack.answerTo('Hi');
    expect(first.text).toBe('You said: HiAll at once.');
    const second = await stack.answerTo('Ho', first.threadId);
    expect(second.text).toBe('You said: HoAll at once.');
    const steps = second.log.map(({ event }) => event.type).filter((type) => type.startsWith('step'));
    expect(steps.join(' ')).toBe('step-start step-end '.repeat(3).trim());
  });

  it('reports subgraphs as inner steps and custom data as events, and hides what is tagged nostream', async () => {
    const hidden = scripted(() => ({ chunks: ['hidden'] })).withConfig({ tags: ['nostream'] });
    const shown = scripted(() => ({ chunks: ['shown'] }));
    const inner = new StateGraph(MessagesAnnotation)
      .addNode('think', async ({ messages }) => {
        await hidden.invoke(messages);
        return { messages: [await shown.invoke(messages)] };
      })
      .addEdge(START, 'think')
      .compile();
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('write', (_: typeof MessagesAnnotation.State, config: LangGraphRunnableConfig) => {
        config.writer?.({ name: 'chart', data: [1, 2] });
        return {};
      })
      .addNode('inner', inner)
      .addEdge(START, 'write')
      .addEdge('write', 'inner')
      .compile();
    const { log, text } = await (await stackWith(graphAgent(graph))).answerTo('Go');
    expect(text).toBe('shown');
    expect(log.map(({ event }) => event)).toContainEqual({
      type: 'custom',
      name: 'chart',
      data: [1, 2],
      stepId: expect.any(String) as unknown,
    });
    const steps = log.flatMap(({ event }) => (event.type === 'step-start' ? [event] : []));
    expect(steps.map(({ name }) => name)).toEqual(['write', 'inner', 'think']);
    expect(steps[2]?.parentStepId).toBe(steps[1]?.stepId);
  });

  it("keeps the text of an agent inside a tool out of the run's text", async () => {
    const inside = scripted(() => ({ chunks: ['inside'] }));
    const agent = new StateGraph(MessagesAnnotation)
      .addNode('think', async ({ messages }) => ({ messages: [await inside.invoke(messages)] }))
      .addEdge(START, 'think')
      .compile();
    const asks = noteTool('ask', async ({ note }) => {
      const { messages } = await agent.invoke({ messages: [new HumanMessage(note)] });
      return messages.at(-1)?.text;
    });
    const model = scripted((messages) => {
      const [answered] = findToolMessages(messages);
      return answered ? { chunks: [`It said: ${answered.text}`] } : { calls: [call('c', 'ask')] };
    });
    const { text } = await (await stackWith(chat(model), { tools: [asks] })).answerTo('Go');
    expect(text).toBe('It said: inside');
  });

  it('does not blame the model for a later error when a retry of the model succeeded', async () => {
    const cut = Object.assign(new Error('overloaded'), { status: 529 });
    const model = scripted((_, turn) => (turn === 1 ? { failure: cut } : { chunks: ['ok'] }));
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('model', async ({ messages }) => {
        await model.invoke(messages).catch(() => model.invoke(messages));
        throw new Error('a fault of the team');
      })
      .addEdge(START, 'model')
      .compile();
    expect(getEnd(await (await stackWith(graphAgent(graph))).answerTo('Go'))).toMatchObject({
      error: { code: 'RUN_FAILED', message: 'The agent failed.' },
    });
  });

  it('shows the name and the message of an error of the graph only with exposeErrors', async () => {
    class QueryError extends Error {
      override readonly name = 'QueryError';
    }
    const graph = (error: unknown) =>
      new StateGraph(MessagesAnnotation)
        .addNode('query', () => {
          throw error as Error;
        })
        .addEdge(START, 'query')
        .compile();
    const failWith = async (error: unknown, exposeErrors: boolean) =>
      readError(await (await stackWith(graphAgent(graph(error), { exposeErrors }))).answerTo('Go'));

    const long = new QueryError('x'.repeat(5_000));
    expect(await failWith(new QueryError('No such table.'), false)).toEqual({
      code: 'RUN_FAILED',
      message: 'The agent failed.',
      retryable: false,
    });
    expect(await failWith(new QueryError('No such table.'), true)).toEqual({
      code: 'RUN_FAILED',
      name: 'QueryError',
      message: 'No such table.',
      retryable: false,
    });
    expect((await failWith(long, true))?.message).toHaveLength(2_000);
    const shown = new AppError('FORBIDDEN', 'Not at night.');
    expect(await failWith(shown, true)).toMatchObject({ code: 'FORBIDDEN', message: 'Not at night.' });
  });

  it('does not show a failure of the model in its own words with exposeErrors', async () => {
    const model = scripted(() => ({ failure: Object.assign(new Error('at 10.0.0.7'), { status: 529 }) }));
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('model', async ({ messages }) => ({ messages: [await model.invoke(messages)] }))
      .addEdge(START, 'model')
      .compile();
    const error = readError(
      await (await stackWith(graphAgent(graph, { exposeErrors: true }))).answerTo('Go'),
    );
    expect(error).toMatchObject({ code: 'MODEL_OVERLOADED' });
    expect(JSON.stringify(error)).not.toContain('10.0.0.7');
  });

  it('takes back the text of a node when LangGraph retries the node', async () => {
    let runs = 0;
    const model = scripted(() => ({ chunks: [`try ${runs}`] }));
    const graph = new StateGraph(MessagesAnnotation)
      .addNode(
        'model',
        async ({ messages }) => {
          runs += 1;
          const message = await model.invoke(messages);
          if (runs === 1) throw new Error('after the words');
          return { messages: [message] };
        },
        { retryPolicy: { maxAttempts: 2, initialInterval: 1, jitter: false, logWarning: false } },
      )
      .addEdge(START, 'model')
      .compile();
    const { text, log } = await (await stackWith(graphAgent(graph))).answerTo('Go');
    expect(getEnd({ log })).toMatchObject({ outcome: 'completed' });
    expect(text).toBe('try 2');
  });
});

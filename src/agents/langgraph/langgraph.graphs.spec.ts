import { afterEach, describe, expect, it } from '@jest/globals';
import { AIMessage, HumanMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { FakeListChatModel } from '@langchain/core/utils/testing';
import {
  END,
  MessagesAnnotation,
  START,
  StateGraph,
  type LangGraphRunnableConfig,
} from '@langchain/langgraph';
import { ToolNode } from '@langchain/langgraph/prebuilt';
import { z } from 'zod';
import {
  noteTool,
  call,
  stackWith,
  chat,
  graphAgent,
  scripted,
  endOf,
  toolEnds,
  closeStacks,
} from './langgraph.stack.testing.js';
import { answersOf } from './langgraph.testing.js';

afterEach(closeStacks);

describe('a graph of a team', () => {
  const ToolInput = z.object({ note: z.string() });

  it('has its own tools announced, and the calls that its tool node answers without making them', async () => {
    const own = tool(({ note }) => note, { name: 'own', description: 'Own.', schema: ToolInput });
    const broken = tool(
      () => {
        throw new Error('10.0.0.7 refused');
      },
      { name: 'broken', description: 'Breaks.', schema: ToolInput },
    );
    const model = scripted((messages) =>
      answersOf(messages).length > 0
        ? { words: ['Done.'] }
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

  it('does not announce the tools of earlier turns again when a node hands on the whole conversation', async () => {
    const own = tool(({ note }) => note, { name: 'own', description: 'Own.', schema: ToolInput });
    const model = scripted((_, turn) => (turn === 1 ? { calls: [call('c', 'own')] } : { words: ['Done.'] }));
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

  it('answers also without a model, and with a model that does not stream', async () => {
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

  it('tells its subgraphs as inner steps, its own facts, and nothing of what is tagged nostream', async () => {
    const hidden = scripted(() => ({ words: ['hidden'] })).withConfig({ tags: ['nostream'] });
    const shown = scripted(() => ({ words: ['shown'] }));
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
    expect(log.map(({ event }) => event)).toContainEqual({ type: 'custom', name: 'chart', data: [1, 2] });
    const steps = log.flatMap(({ event }) => (event.type === 'step-start' ? [event] : []));
    expect(steps.map(({ name }) => name)).toEqual(['write', 'inner', 'think']);
    expect(steps[2]?.parentStepId).toBe(steps[1]?.stepId);
  });

  it('keeps the words of an agent inside a tool out of the answer', async () => {
    const inside = scripted(() => ({ words: ['inside'] }));
    const agent = new StateGraph(MessagesAnnotation)
      .addNode('think', async ({ messages }) => ({ messages: [await inside.invoke(messages)] }))
      .addEdge(START, 'think')
      .compile();
    const asks = noteTool('ask', async ({ note }) => {
      const { messages } = await agent.invoke({ messages: [new HumanMessage(note)] });
      return messages.at(-1)?.text;
    });
    const model = scripted((messages) => {
      const [answered] = answersOf(messages);
      return answered ? { words: [`It said: ${answered.text}`] } : { calls: [call('c', 'ask')] };
    });
    const { text } = await (await stackWith(chat(model), { tools: [asks] })).answerTo('Go');
    expect(text).toBe('It said: inside');
  });

  it('does not blame the model for what another part has thrown, when the model was asked again', async () => {
    const cut = Object.assign(new Error('overloaded'), { status: 529 });
    const model = scripted((_, turn) => (turn === 1 ? { failure: cut } : { words: ['ok'] }));
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('model', async ({ messages }) => {
        await model.invoke(messages).catch(() => model.invoke(messages));
        throw new Error('a fault of the team');
      })
      .addEdge(START, 'model')
      .compile();
    expect(endOf(await (await stackWith(graphAgent(graph))).answerTo('Go'))).toMatchObject({
      error: { code: 'RUN_FAILED', message: 'The agent failed.' },
    });
  });

  it('takes back what a node has said when LangGraph runs it again', async () => {
    let runs = 0;
    const model = scripted(() => ({ words: [`try ${runs}`] }));
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
    expect(endOf({ log })).toMatchObject({ outcome: 'completed' });
    expect(text).toBe('try 2');
  });
});

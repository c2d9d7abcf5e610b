import { afterEach, describe, expect, it } from '@jest/globals';
import { AIMessage, HumanMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { Annotation, interrupt, MessagesAnnotation, Send, START, StateGraph } from '@langchain/langgraph';
import { ToolNode } from '@langchain/langgraph/prebuilt';
import { createAgent, humanInTheLoopMiddleware } from 'langchain';
import { z } from 'zod';
import { foldRun, getText } from '../../events/run-view.js';
import { ADA } from '../../runs/run.testing.js';
import { answer, ask, lastText, one, read, say, value } from './graph-interrupts.testing.js';
import {
  call,
  closeStacks,
  getEnd,
  graphAgent,
  scripted,
  stackWith,
  toolEnds,
} from './langgraph-stack.testing.js';
import { findToolMessages } from './langgraph.testing.js';

describe('a graph that asks with interrupt()', () => {
  afterEach(closeStacks);

  it('stops a run with any value as the question and continues it with any value as the answer', async () => {
    const asked = { question: 'How many?', options: [1, 2] };
    const graph = one(() => say(`You said ${JSON.stringify(interrupt(asked))}.`)).compile();
    const stack = await stackWith(graphAgent(graph));
    for (const given of [2, 'two', null, false, ['a', { b: [] }]]) {
      const stopped = await ask(stack);
      expect(stopped.requests).toMatchObject([{ value: asked, expiresAt: expect.any(Number) }]);
      expect(await stack.runs.get(ADA, stopped.id)).toMatchObject({
        inputs: [{ kind: 'interrupt', value: asked }],
      });
      const next = await answer(stack, stopped, given);
      expect(next.log.slice(0, 2).map(({ event }) => event)).toMatchObject([
        { type: 'run-start', resumeOf: stopped.id },
        { type: 'input-answer', kind: 'interrupt', decision: 'answer', by: 'ada' },
      ]);
      expect(next.text).toBe(`You said ${JSON.stringify(given)}.`);
      expect(getEnd(next)).toMatchObject({ outcome: 'completed' });
    }
  });

  it('checks an answer against the schema of the interrupt before the run continues', async () => {
    const graph = one(() =>
      say(String(interrupt('Age?', { responseSchema: z.object({ age: z.number() }) }).age)),
    ).compile();
    const stack = await stackWith(graphAgent(graph));
    const stopped = await ask(stack);
    expect(stopped.requests).toMatchObject([{ schema: { type: 'object', required: ['age'] } }]);
    await expect(answer(stack, stopped, { age: 'old' })).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    const approve = { [stopped.requests[0]!.inputId]: { decision: 'approve' } as const };
    await expect(stack.inputs.answer(ADA, stopped.id, approve)).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
    });
    expect((await answer(stack, stopped, { age: 7 })).text).toBe('7');
  });

  it('asks again under a new id until the graph accepts the answer', async () => {
    const graph = one(() => {
      let given: unknown;
      for (let question = 'Age?'; typeof given !== 'number'; question = `${String(given)} is no age.`)
        given = interrupt(question);
      return say(`You are ${given}.`);
    }).compile();
    const stack = await stackWith(graphAgent(graph));
    const first = await ask(stack);
    const second = await answer(stack, first, 'old');
    expect(second.requests).toMatchObject([{ value: 'old is no age.' }]);
    const third = await answer(stack, second, 'very old');
    expect(third.requests).toMatchObject([{ value: 'very old is no age.' }]);
    const ids = [first, second, third].map(({ requests }) => requests[0]?.inputId);
    expect(new Set(ids).size).toBe(3);
    expect((await answer(stack, third, 30)).text).toBe('You are 30.');
  });

  it('asks several questions side by side, keeps answers until all are there, and runs no sibling twice', async () => {
    const work: string[] = [];
    const State = Annotation.Root({ ...MessagesAnnotation.spec, item: Annotation<string> });
    const graph = new StateGraph(State)
      .addNode('review', ({ item }) => say(`${item}: ${String(interrupt(item))}`))
      .addNode('work', async () => {
        work.push('done');
        return say('worked');
      })
      .addConditionalEdges(START, () => [
        new Send('review', { item: 'a' }),
        new Send('review', { item: 'b' }),
        new Send('work', {}),
      ])
      .compile();
    const stack = await stackWith(graphAgent(graph));
    const stopped = await ask(stack);
    const { id, requests, log } = stopped;
    expect(requests.map((request) => request.value)).toEqual(['a', 'b']);
    expect(getText(foldRun(id, log))).toBe('worked');
    const [a, b] = requests.map(({ inputId }) => inputId) as [string, string];
    const partial = await stack.inputs.answer(ADA, id, { [b]: value('no') });
    expect(partial.continuedBy).toBeUndefined();
    const { continuedBy } = await stack.inputs.answer(ADA, id, { [a]: value('yes') });
    const next = await read(stack, continuedBy!.id, stopped.threadId);
    expect(next.text.split(/(?=[ab]:)/).toSorted()).toEqual(['a: yes', 'b: no']);
    expect(work).toEqual(['done']);
  });

  it('asks a question from nested subgraphs without repeating their finished steps', async () => {
    const begun: string[] = [];
    const inner = new StateGraph(MessagesAnnotation)
      .addNode('before', () => {
        begun.push('before');
        return {};
      })
      .addNode('ask', () => {
        const first = interrupt('First?');
        return say(`${String(first)}, ${String(interrupt('Second?'))}`);
      })
      .addEdge(START, 'before')
      .addEdge('before', 'ask')
      .compile();
    const middle = new StateGraph(MessagesAnnotation)
      .addNode('inner', inner)
      .addEdge(START, 'inner')
      .compile();
    const outer = new StateGraph(MessagesAnnotation)
      .addNode('middle', middle)
      .addEdge(START, 'middle')
      .compile();
    const stack = await stackWith(graphAgent(outer));
    const first = await ask(stack);
    expect(first.requests).toHaveLength(1);
    const second = await answer(stack, first, 'one');
    expect(second.requests).toMatchObject([{ value: 'Second?' }]);
    const third = await answer(stack, second, 'two');
    expect(third.text).toBe('one, two');
    expect(begun).toEqual(['before']);
  });

  it('asks a question from a subgraph that a node invokes by itself', async () => {
    const inner = one(() => say(`Inner ${String(interrupt('Inside?'))}.`)).compile();
    const graph = one(async (state) => ({
      messages: (await inner.invoke(state)).messages.slice(-1),
    })).compile();
    const stack = await stackWith(graphAgent(graph));
    const next = await answer(stack, await ask(stack), 'yes');
    expect(next.text).toBe('Inner yes.');
  });

  it('asks questions from tools, and calls a tool beside them that did not ask only once', async () => {
    const looked: string[] = [];
    const confirm = tool(({ what }) => `${what}: ${String(interrupt(`Really ${what}?`))}`, {
      name: 'confirm',
      description: 'Confirms.',
      schema: z.object({ what: z.string() }),
    });
    const look = tool(() => (looked.push('look'), 'seen'), {
      name: 'look',
      description: 'Looks.',
      schema: z.object({}),
    });
    const model = scripted((messages) => {
      const answers = findToolMessages(messages);
      if (answers.length > 0) return { chunks: [answers.map(({ text }) => text).join('; ')] };
      return {
        calls: [
          call('c1', 'confirm', '{"what":"a"}'),
          call('c2', 'look', '{}'),
          call('c3', 'confirm', '{"what":"b"}'),
        ],
      };
    });
    const stack = await stackWith(graphAgent(createAgent({ model, tools: [confirm, look] }).graph));
    const stopped = await ask(stack);
    expect(toolEnds(stopped.log).filter((end) => /error/.test(end))).toEqual([]);
    expect(stopped.requests.map((request) => request.value)).toEqual(['Really a?', 'Really b?']);
    const next = await answer(stack, stopped, 'yes', 'no');
    expect(next.text).toBe('a: yes; seen; b: no');
    expect(toolEnds(next.log).toSorted()).toEqual(['c1 ok', 'c3 ok']);
    expect(looked).toEqual(['look']);
  });

  it('asks a question from a tool in a ToolNode', async () => {
    const confirm = tool(({ what }) => `${what}: ${String(interrupt('Really?'))}`, {
      name: 'confirm',
      description: 'Confirms.',
      schema: z.object({ what: z.string() }),
    });
    const toolCalls = { content: '', tool_calls: [{ id: 'c1', name: 'confirm', args: { what: 'a' } }] };
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('plan', () => ({ messages: [new AIMessage(toolCalls)] }))
      .addNode('tools', new ToolNode([confirm]))
      .addNode('tell', (state) => say(lastText(state)))
      .addEdge(START, 'plan')
      .addEdge('plan', 'tools')
      .addEdge('tools', 'tell')
      .compile();
    const stack = await stackWith(graphAgent(graph));
    expect((await answer(stack, await ask(stack), 'yes')).text).toBe('a: yes');
  });

  it('serves the human-in-the-loop middleware and refuses decisions that it cannot read', async () => {
    const paid: unknown[] = [];
    const pay = tool((input) => (paid.push(input), 'paid'), {
      name: 'pay',
      description: 'Pays.',
      schema: z.object({ sum: z.number() }),
    });
    const model = scripted((messages) => {
      const answers = findToolMessages(messages);
      if (answers.length > 0) return { chunks: [answers.map(({ text }) => text).join('; ')] };
      return { calls: [call('c1', 'pay', '{"sum":5}')] };
    });
    const middleware = [humanInTheLoopMiddleware({ interruptOn: { pay: true } })];
    const stack = await stackWith(graphAgent(createAgent({ model, tools: [pay], middleware }).graph));
    const stopped = await ask(stack);
    expect(stopped.requests).toMatchObject([
      {
        value: {
          actionRequests: [{ name: 'pay', args: { sum: 5 } }],
          reviewConfigs: [{ actionName: 'pay' }],
        },
      },
    ]);
    for (const wrong of ['yes', { decisions: [] }, { decisions: [{ type: 'maybe' }] }])
      await expect(answer(stack, stopped, wrong)).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    const edited = { type: 'edit', editedAction: { name: 'pay', args: { sum: 4 } } };
    const next = await answer(stack, stopped, { decisions: [edited] });
    expect(next.text).toBe('paid');
    expect(paid).toEqual([{ sum: 4 }]);
    const again = await ask(stack);
    const rejected = await answer(stack, again, { decisions: [{ type: 'reject', message: 'Too much.' }] });
    expect(rejected.text).toContain('Too much.');
    expect(paid).toHaveLength(1);
  });

  it('closes the question when a new message arrives, and runs the graph from its start', async () => {
    const graph = one((state) =>
      say(lastText(state) === 'Go!' ? String(interrupt('Sure?')) : 'Another answer.'),
    ).compile();
    const stack = await stackWith(graphAgent(graph));
    const stopped = await ask(stack);
    const { text } = await stack.answerTo('Never mind.', stopped.threadId);
    expect(text).toBe('Another answer.');
    await expect(answer(stack, stopped, 'yes')).rejects.toMatchObject({ code: 'INPUT_CLOSED' });
  });

  it('fails the run as expired when no answer comes in time, and keeps the thread usable', async () => {
    const graph = one((state) =>
      say(lastText(state) === 'Go!' ? String(interrupt('Sure?')) : 'Another answer.'),
    ).compile();
    const stack = await stackWith(graphAgent(graph));
    const stopped = await ask(stack);
    await stack.inputs.expire(await stack.runs.get(ADA, stopped.id), Date.now() + 30 * 86_400_000);
    const page = await stack.storage.runs.listRuns(ADA, stopped.threadId, { limit: 1 });
    const next = await read(stack, page.items[0]!.id, stopped.threadId);
    expect(getEnd(next)).toMatchObject({ outcome: 'failed', error: { code: 'INPUT_EXPIRED' } });
    expect((await stack.answerTo('Never mind.', stopped.threadId)).text).toBe('Another answer.');
  });

  it('aborts the other nodes before the run ends when one node fails', async () => {
    const heard: string[] = [];
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('fails', async () => {
        await begun.promise;
        throw new Error('no');
      })
      .addNode('works', async (_state, { signal }) => {
        begun.resolve();
        await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve()));
        heard.push('aborted');
        return {};
      })
      .addEdge(START, 'fails')
      .addEdge(START, 'works')
      .compile();
    const begun = Promise.withResolvers<void>();
    const stack = await stackWith(graphAgent(graph));
    const { log } = await stack.answerTo('Go!');
    expect(getEnd({ log })).toMatchObject({ outcome: 'failed' });
    expect(heard).toEqual(['aborted']);
  });
});

// A message in the state is what it was, whatever was asked meanwhile.
describe('the message history of a graph that asks', () => {
  afterEach(closeStacks);

  it("stores the user's message and the reply of an asking graph once each", async () => {
    const graph = one(() => say(`You said ${String(interrupt('Sure?'))}.`)).compile();
    const stack = await stackWith(graphAgent(graph));
    const stopped = await ask(stack);
    await answer(stack, stopped, 'yes');
    const messages = await stack.readMessages(stopped.threadId);
    expect(messages.map(({ text }) => text)).toEqual(['Go!', 'You said yes.']);
    expect(HumanMessage.isInstance(messages[0])).toBe(true);
  });
});

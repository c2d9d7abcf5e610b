import { afterEach, describe, expect, it } from '@jest/globals';
import { AIMessage, HumanMessage, ToolMessage, type BaseMessage } from '@langchain/core/messages';
import {
  Annotation,
  END,
  interrupt,
  MessagesAnnotation,
  messagesStateReducer,
  START,
  StateGraph,
} from '@langchain/langgraph';
import { DeltaChannel } from '@langchain/langgraph/channels';
import { until } from '../../../test/support/until.js';
import type { AgentContext } from '../agent.js';
import type { RecordedEvent } from '../../events/recorded-event.js';
import { foldRun } from '../../events/run-view.js';
import { ADA } from '../../runs/run.testing.js';
import {
  call,
  chain,
  chat,
  closeStacks,
  expectValid,
  getEnd,
  graphAgent,
  noteTool,
  openStorage,
  reached,
  scripted,
  stackWith,
  type CreateAgent,
  type Stack,
} from './langgraph-stack.testing.js';

afterEach(closeStacks);

/** A wait that a test ends. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

const describeMessage = (message: BaseMessage): string => {
  const calls = AIMessage.isInstance(message) ? (message.tool_calls ?? []).map(({ id }) => ` →${id}`) : [];
  return `${message.getType()}: ${message.text}${calls.join('')}`;
};

async function readState(stack: Stack, threadId: string): Promise<string[]> {
  return (await stack.readMessages(threadId)).map(describeMessage);
}

/** The parts of the answer, as people see them. */
function describeParts(log: readonly RecordedEvent[]): string[] {
  return foldRun('run', log).parts.map((part) => {
    if (part.kind === 'text' || part.kind === 'person') return `${part.kind}: ${part.text}`;
    return part.kind === 'tool' ? `tool: ${part.toolCallId} ${part.outcome}` : part.kind;
  });
}

const contexts = new Map<string, AgentContext>();

/** Notes the contexts of an agent's runs. */
const watched =
  (create: CreateAgent): CreateAgent =>
  (...parts) => {
    const agent = create(...parts);
    const run = agent.run.bind(agent);
    agent.run = (input, context) => {
      contexts.set(context.runId, context);
      return run(input, context);
    };
    return agent;
  };

const startStack = (create: CreateAgent, options: Parameters<typeof stackWith>[1] = {}) =>
  stackWith(watched(create), options);

/** Sends a message to a run. Resolves when its owner knows. */
async function send(stack: Stack, runId: string, text: string, id?: string) {
  await stack.messages.add(ADA, runId, { text, id });
  await until(() => contexts.get(runId)?.hasMessages?.() ?? false);
}

describe('a message to a run of a graph that is under way', () => {
  it('comes after the results of all tools that are at work, and before the next model call', async () => {
    const slow = gate();
    const model = scripted((_, asked) =>
      asked === 1
        ? { chunks: ['Looking.'], calls: [call('c1'), call('c2', 'other')] }
        : { chunks: ['Answer ', 'two.'] },
    );
    const stack = await startStack(chat(model), {
      tools: [
        noteTool('note', async () => 'quick'),
        noteTool('other', async () => {
          await slow.opened;
          return 'slow';
        }),
      ],
    });
    const { id, threadId } = await stack.ask('Question?');
    await reached(stack, id, ({ type }) => type === 'tool-end');
    await send(stack, id, 'And in French.');
    slow.open();
    const log = await stack.readLog(id);
    expectValid(log);
    expect(getEnd({ log })).toMatchObject({ outcome: 'completed' });
    expect(describeParts(log)).toEqual([
      'text: Looking.',
      'tool: c1 ok',
      'tool: c2 ok',
      'person: And in French.',
      'text: Answer two.',
    ]);
    expect(await readState(stack, threadId)).toEqual([
      'human: Question?',
      'ai: Looking. →c1 →c2',
      'tool: quick',
      'tool: slow',
      // Some providers take no person right after a result.
      'ai: (The answer is still to come.)',
      'human: And in French.',
      'ai: Answer two.',
    ]);
    expect(model.requests).toHaveLength(2);
    expect(log.some(({ event }) => event.type === 'step-reset')).toBe(false);
  });

  it('is answered in another turn of the same run when the answer was the last step', async () => {
    const said = gate();
    const model = scripted((messages, asked) => ({
      chunks: [`Answer ${asked} to ${messages.at(-1)?.text}.`],
      ...(asked === 1 && { hold: () => said.opened }),
    }));
    const stack = await startStack(chat(model));
    const { id, threadId } = await stack.ask('one');
    await reached(stack, id, ({ type }) => type === 'text-delta');
    await send(stack, id, 'two', 'm1');
    await send(stack, id, 'three', 'm2');
    await send(stack, id, 'two', 'm1');
    said.open();
    const log = await stack.readLog(id);
    expectValid(log);
    expect(describeParts(log)).toEqual([
      'text: Answer 1 to one.',
      'person: two',
      'person: three',
      'text: Answer 2 to three.',
    ]);
    expect(await readState(stack, threadId)).toEqual([
      'human: one',
      'ai: Answer 1 to one.',
      'human: two',
      'ai: (The answer is still to come.)',
      'human: three',
      'ai: Answer 2 to three.',
    ]);
    // The thread goes on as any other.
    const { text } = await stack.answerTo('four', threadId);
    expect(text).toBe('Answer 3 to four.');
    expect((await readState(stack, threadId)).slice(0, 6)).toEqual([
      'human: one',
      'ai: Answer 1 to one.',
      'human: two',
      'ai: (The answer is still to come.)',
      'human: three',
      'ai: Answer 2 to three.',
    ]);
  });

  it('leaves the steps that are next as they are, whatever routes lead to them', async () => {
    const first = gate();
    const routes: string[] = [];
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('call', () => ({
        messages: [new AIMessage({ content: '', tool_calls: [{ id: 'c1', name: 'note', args: {} }] })],
      }))
      .addNode('work', async () => {
        await first.opened;
        return { messages: [new ToolMessage({ content: 'done', tool_call_id: 'c1' })] };
      })
      .addNode('answer', ({ messages }) => ({
        messages: [new AIMessage(`Saw ${messages.map((each) => each.text).join('|')}`)],
      }))
      .addNode('lost', () => ({ messages: [new AIMessage('Lost.')] }))
      .addEdge(START, 'call')
      .addEdge('call', 'work')
      .addConditionalEdges('work', ({ messages }) => {
        const next = ToolMessage.isInstance(messages.at(-1)) ? 'answer' : 'lost';
        routes.push(next);
        return next;
      })
      .addEdge('answer', END)
      .addEdge('lost', END);
    const stack = await startStack(graphAgent(graph.compile()));
    const { id } = await stack.ask('Q');
    await reached(stack, id, (event) => event.type === 'step-start' && event.name === 'work');
    await send(stack, id, 'More.');
    first.open();
    const log = await stack.readLog(id);
    expect(describeParts(log)).toEqual([
      'tool: c1 ok',
      'person: More.',
      'text: Saw Q||done|(The answer is still to come.)|More.',
    ]);
    expect(routes).toEqual(['answer']);
  });

  it('is told once by a graph whose nodes return the whole conversation, and shows its messages', async () => {
    const first = gate();
    const graph = chain(
      async ({ messages }) => {
        await first.opened;
        return { messages };
      },
      ({ messages }) => ({ messages: [...messages, new AIMessage(`Heard ${messages.at(-1)?.text}`)] }),
    );
    const stack = await startStack(graphAgent(graph, { exposeState: true }));
    const { id } = await stack.ask('Q');
    await reached(stack, id, ({ type }) => type === 'step-start');
    await send(stack, id, 'More.');
    first.open();
    const log = await stack.readLog(id);
    expectValid(log);
    expect(describeParts(log)).toEqual(['person: More.', 'text: Heard More.']);
    expect(log.filter(({ event }) => event.type === 'message-put')).toHaveLength(1);
  });

  it('waits while a step that is next works on words of the assistant', async () => {
    const first = gate();
    const graph = chain(
      async () => {
        await first.opened;
        return { messages: [new AIMessage('Draft.')] };
      },
      ({ messages }) => ({ messages: [new AIMessage(`Checked ${messages.at(-1)?.text}`)] }),
    );
    const stack = await startStack(graphAgent(graph));
    const { id } = await stack.ask('Q');
    await reached(stack, id, ({ type }) => type === 'step-start');
    await send(stack, id, 'Shorter.');
    first.open();
    expect(describeParts(await stack.readLog(id))).toEqual([
      'text: Draft.',
      'text: Checked Draft.',
      'person: Shorter.',
      'text: Draft.',
      'text: Checked Draft.',
    ]);
  });

  it('stays with its client when the run is cancelled, or stops at a question', async () => {
    const stopped = gate();
    const model = scripted(() => ({ chunks: ['Hm.'], hold: () => stopped.opened }));
    const stack = await startStack(chat(model));
    const { id } = await stack.ask('Q');
    await reached(stack, id, ({ type }) => type === 'text-delta');
    await send(stack, id, 'More.', 'm1');
    await stack.runs.cancel(ADA, id);
    await expect(send(stack, id, 'Again.')).rejects.toMatchObject({ code: 'RUN_CLOSED' });
    const log = await stack.readLog(id);
    stopped.open();
    expect(describeParts(log)).toEqual(['text: Hm.']);
    expect(await stack.runs.get(ADA, id)).toMatchObject({ status: 'cancelled', messages: [{ id: 'm1' }] });
    await stack.messages.withdraw(ADA, id, 'm1');

    const asks = gate();
    const graph = chain(async () => {
      await asks.opened;
      const answer: unknown = interrupt('Sure?');
      return { messages: [new AIMessage(`You said ${String(answer)}.`)] };
    });
    const asking = await startStack(graphAgent(graph));
    const asked = await asking.ask('Q');
    await reached(asking, asked.id, ({ type }) => type === 'step-start');
    await send(asking, asked.id, 'More.', 'm1');
    asks.open();
    expect(getEnd({ log: await asking.readLog(asked.id) })).toMatchObject({ outcome: 'awaiting-input' });
    await expect(send(asking, asked.id, 'Again.')).rejects.toMatchObject({ code: 'RUN_CLOSED' });
    const run = await asking.runs.get(ADA, asked.id);
    expect(run.messages).toMatchObject([{ id: 'm1' }]);
    const inputId = run.inputs?.[0]?.inputId ?? '';
    const { continuedBy } = await asking.inputs.answer(ADA, asked.id, {
      [inputId]: { decision: 'answer', value: 'yes' },
    });
    expect(describeParts(await asking.readLog(continuedBy?.id ?? ''))).toEqual(['text: You said yes.']);
  });

  it('is not part of the branch that another run takes in its place', async () => {
    const said = gate();
    const model = scripted((messages, asked) => ({
      chunks: [`${messages.map((each) => each.text).join('|')}.`],
      ...(asked === 1 && { hold: () => said.opened }),
    }));
    const stack = await startStack(chat(model));
    const { id, threadId } = await stack.ask('one');
    await reached(stack, id, ({ type }) => type === 'text-delta');
    await send(stack, id, 'two');
    said.open();
    await stack.readLog(id);
    const again = await stack.runs.start({ principal: ADA, threadId, message: '', replaces: id });
    const parts = describeParts(await stack.readLog(again.id));
    expect(parts).toHaveLength(1);
    expect(parts[0]).toMatch(/\|?one\.$/);
    expect(parts[0]).not.toContain('two');
  });

  it('is taken by the next owner, once, when the one before has left in the middle of an answer', async () => {
    const storage = await openStorage();
    const said = gate();
    const dying = scripted(() => ({ chunks: ['Never stored.'], hold: () => said.opened }));
    const first = await startStack(chat(dying), { storage, executor: { leaseMs: 200 } });
    const { id, threadId } = await first.ask('one');
    await reached(first, id, ({ type }) => type === 'text-delta');
    await send(first, id, 'two');
    await first.executor.drain(0);
    const model = scripted((messages) => ({ chunks: [`To ${messages.at(-1)?.text}.`] }));
    const second = await startStack(chat(model), { storage });
    const log = await second.readLog(id);
    said.open();
    expectValid(log);
    expect(describeParts(log)).toEqual(['text: To one.', 'person: two', 'text: To two.']);
    expect(await readState(second, threadId)).toEqual([
      'human: one',
      'ai: To one.',
      'human: two',
      'ai: To two.',
    ]);
    expect(HumanMessage.isInstance((await second.readMessages(threadId))[2])).toBe(true);
  });

  it('leaves a graph no more steps than its limit, however often it is stopped in between', async () => {
    // Its checkpoints have changes only: it is stopped after each step, to look at its messages.
    const deltas = Annotation.Root({
      messages: () =>
        new DeltaChannel<BaseMessage[], BaseMessage[]>((messages, writes) =>
          messagesStateReducer(messages, writes.flat()),
        ),
    });
    const countSteps = async (state: typeof MessagesAnnotation, text?: string) => {
      const first = gate();
      const graph = new StateGraph(state)
        .addNode('work', async ({ messages }) => {
          await first.opened;
          return { messages: [new AIMessage(`Step ${messages.length}.`)] };
        })
        .addEdge(START, 'work')
        // Far above the limit, and an end all the same.
        .addConditionalEdges('work', ({ messages }) => (messages.length < 40 ? 'work' : END));
      const stack = await startStack(graphAgent(graph.compile(), { recursionLimit: 6 }));
      const { id } = await stack.ask('Q');
      await reached(stack, id, ({ type }) => type === 'step-start');
      if (text !== undefined) await send(stack, id, text);
      first.open();
      const log = await stack.readLog(id);
      expect(getEnd({ log })).toMatchObject({ outcome: 'failed', error: { code: 'RUN_LIMIT' } });
      return log.filter(({ event }) => event.type === 'step-start' && event.name === 'work').length;
    };
    expect(await countSteps(MessagesAnnotation)).toBe(6);
    expect(await countSteps(MessagesAnnotation, 'More.')).toBe(6);
    expect(await countSteps(deltas as never)).toBe(6);
    // LangGraph counts one step less of a graph that goes on without input.
    expect(await countSteps(deltas as never, 'More.')).toBe(7);
  });

  it('is left to its client by a graph that a function makes and whose input has no messages', async () => {
    const first = gate();
    const counting = Annotation.Root({ count: Annotation<number> });
    const graph = new StateGraph(counting)
      .addNode('add', async ({ count }) => {
        await first.opened;
        return { count: count + 1 };
      })
      .addEdge(START, 'add')
      .addEdge('add', END)
      .compile();
    const stack = await startStack(graphAgent(() => graph));
    const { id } = await stack.runs.start({
      principal: ADA,
      message: 'Count.',
      isWithoutMessage: true,
      input: { count: 1 },
    });
    await reached(stack, id, ({ type }) => type === 'step-start');
    await send(stack, id, 'More.', 'm1');
    first.open();
    const log = await stack.readLog(id);
    expectValid(log);
    expect(getEnd({ log })).toMatchObject({ outcome: 'completed' });
    expect(describeParts(log)).toEqual([]);
    const run = await stack.runs.get(ADA, id);
    expect(run.messages).toMatchObject([{ id: 'm1', left: true }]);
  });
});

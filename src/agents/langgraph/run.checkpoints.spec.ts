import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { ADA, typesOf } from '../../runs/run.testing.js';
import { SqliteStorage } from '../../storage/sqlite/sqlite.storage.js';
import {
  call,
  chat,
  closeStacks,
  graphAgent,
  hang,
  noteTool,
  openStorage,
  reached,
  scripted,
  stackWith,
  toolEnds,
  type Stack,
} from './langgraph.stack.testing.js';
import { answersOf } from './langgraph.testing.js';

interface SentCall {
  readonly operation: string;
  readonly input: {
    readonly batches?: readonly { readonly frames: string }[];
    readonly taskId?: string;
    readonly parentId?: string | null;
  };
}

/** What goes to the worker as one message is one transaction, or part of one. */
function transactionsFromNow(): () => SentCall[][] {
  const sent = jest.spyOn(Worker.prototype, 'postMessage');
  return () => sent.mock.calls.flatMap(([calls]) => (Array.isArray(calls) ? [calls as SentCall[]] : []));
}

const callsOf = (transactions: readonly SentCall[][], operation: string) =>
  transactions.flat().filter((sent) => sent.operation === operation);

const human = (stack: Stack, threadId: string) =>
  stack
    .messagesOf(threadId)
    .then((messages) => messages.filter(({ type }) => type === 'human').map(({ text }) => text));

afterEach(async () => {
  jest.restoreAllMocks();
  await closeStacks();
});

describe('an answer of one step', () => {
  it('is stored as one checkpoint, after the one of the turn before', async () => {
    const stack = await stackWith(chat(scripted((messages) => ({ words: [`Answer ${messages.length}.`] }))));
    const transactions = transactionsFromNow();
    const { threadId } = await stack.answerTo('One');
    await stack.answerTo('Two', threadId);

    expect(callsOf(transactions(), 'putWrites')).toEqual([]);
    const [first, second, ...others] = callsOf(transactions(), 'putCheckpoint');
    expect(others).toEqual([]);
    expect(first?.input.parentId).toBeNull();
    const { checkpointer } = stack.storage;
    const newest = await checkpointer.getTuple({ configurable: { thread_id: threadId } });
    expect(second?.input.parentId).toBe(newest?.parentConfig?.configurable?.['checkpoint_id']);
    const before = await checkpointer.getTuple(newest?.parentConfig ?? {});
    expect(before?.checkpoint.channel_values['messages']).toHaveLength(2);
    expect((await stack.messagesOf(threadId)).map(({ text }) => text)).toEqual([
      'One',
      'Answer 1.',
      'Two',
      'Answer 3.',
    ]);
  });

  it('asks the storage for nothing in a new thread, and once in a known one', async () => {
    const stack = await stackWith(chat(scripted((messages) => ({ words: [`Answer ${messages.length}.`] }))));
    const { threadId } = await stack.answerTo('One');
    const transactions = transactionsFromNow();
    await stack.answerTo('Two', threadId);
    expect(callsOf(transactions(), 'getCheckpoint')).toHaveLength(1);
    await stack.answerTo('Three', threadId);
    const said = (await stack.messagesOf(threadId)).map(({ text }) => text);
    expect(said).toEqual(['One', 'Answer 1.', 'Two', 'Answer 3.', 'Three', 'Answer 5.']);
  });

  it('goes on from what was remembered under a name before it became a thread of ours', async () => {
    const storage = await openStorage();
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('echo', () => ({ messages: [] }))
      .addEdge(START, 'echo')
      .addEdge('echo', END)
      .compile({ checkpointer: storage.checkpointer });
    await graph.invoke({ messages: ['One'] }, { configurable: { thread_id: 'mine' } });

    const stack = await stackWith(chat(scripted(() => ({ words: ['Yes.'] }))), { storage });
    const run = await stack.runs.start({
      principal: ADA,
      message: 'Two',
      threadId: 'mine',
      createThread: true,
    });
    await stack.logOf(run.id);
    expect((await stack.messagesOf('mine')).map(({ text }) => text)).toEqual(['One', 'Two', 'Yes.']);
  });

  it('is stored with all that led to it where every checkpoint is kept', async () => {
    const storage = new SqliteStorage({ directory: ':memory:', keepCheckpoints: 'all' });
    await storage.open();
    try {
      const stack = await stackWith(chat(scripted(() => ({ words: ['Yes.'] }))), { storage });
      const { threadId } = await stack.answerTo('One');
      const sources: unknown[] = [];
      for await (const { metadata } of storage.checkpointer.list({ configurable: { thread_id: threadId } }))
        sources.push(metadata?.source);
      expect(sources).toEqual(['loop', 'loop', 'input']);
      await stack.executor.drain(0);
    } finally {
      await storage.close();
    }
  });
});

describe('a step of a graph', () => {
  it("ends in the log in the same transaction in which its task's result is stored", async () => {
    const transactions = transactionsFromNow();
    const model = scripted((messages) =>
      answersOf(messages).length > 0 ? { words: ['Done.'] } : { words: ['Look. '], calls: [call('c')] },
    );
    const stack = await stackWith(chat(model), { tools: [noteTool('note', () => 'x')] });
    const { log } = await stack.answerTo('Go');
    expect(toolEnds(log)).toEqual(['c ok']);

    const ends = log.flatMap(({ event }) => (event.type === 'step-end' ? [event.stepId] : []));
    expect(ends).toHaveLength(3);
    const storing = transactions().filter((calls) =>
      calls.some(({ operation }) => operation === 'putCheckpoint'),
    );
    expect(storing).toHaveLength(3);
    for (const [index, stepId] of ends.entries()) {
      const frames = storing[index]
        ?.flatMap(({ input }) => input.batches?.map((batch) => batch.frames) ?? [])
        .join();
      expect(frames).toContain('"step-end"');
      expect(frames).toContain(stepId);
    }
  });

  it('is stored by itself while its siblings are at work', async () => {
    let finish = () => {};
    const slow = noteTool('slow', () => new Promise((resolve) => (finish = () => resolve('late'))));
    const model = scripted((messages) =>
      answersOf(messages).length > 0
        ? { words: ['Done.'] }
        : { calls: [call('q', 'quick'), call('s', 'slow')] },
    );
    const stack = await stackWith(chat(model), { tools: [noteTool('quick', () => 'soon'), slow] });
    const transactions = transactionsFromNow();
    const { id, threadId } = await stack.ask('Go');
    await reached(stack, id, (event) => event.type === 'step-end' && event.name === 'tools');
    const [early] = callsOf(transactions(), 'putWrites');
    const pending = (await stack.storage.checkpointer.getTuple({ configurable: { thread_id: threadId } }))
      ?.pendingWrites;
    expect(pending?.map(([taskId]) => taskId)).toContain(early?.input.taskId);
    finish();
    expect(toolEnds(await stack.logOf(id))).toEqual(['q ok', 's ok']);
  });
});

describe('what a person said', () => {
  it.each([
    ['fails', { failure: Object.assign(new Error('No.'), { status: 400 }) }],
    ['is cancelled', { words: ['Well'], hold: hang }],
    [
      'is cancelled and does not hear of it',
      { words: ['Well'], hold: () => new Promise<void>(() => undefined) },
    ],
  ])('is remembered when the first step %s', async (_how, reply) => {
    const model = scripted((_, count) => (count === 1 ? reply : { words: ['I see.'] }));
    const stack = await stackWith(chat(model));
    const { id, threadId } = await stack.ask('One');
    if ('hold' in reply) {
      await reached(stack, id, (event) => event.type === 'text-delta');
      await stack.runs.cancel(ADA, id);
    }
    expect(typesOf(await stack.logOf(id)).at(-1)).toBe('end');
    expect(await human(stack, threadId)).toEqual(['One']);
    await stack.answerTo('Two', threadId);
    expect(await human(stack, threadId)).toEqual(['One', 'Two']);
  });

  it('is there for a node that asks where its thread stands, and for the graph inside one', async () => {
    const seen: unknown[] = [];
    const storage = await openStorage();
    const inner = new StateGraph(MessagesAnnotation)
      .addNode('look', async (_, { configurable }) => {
        const thread = { configurable: { thread_id: configurable?.['thread_id'] as string } };
        const tuple = await storage.checkpointer.getTuple(thread);
        seen.push(tuple?.checkpoint.channel_values['messages']);
        return { messages: [] };
      })
      .addEdge(START, 'look')
      .addEdge('look', END)
      .compile();
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('inner', inner)
      .addEdge(START, 'inner')
      .addEdge('inner', END)
      .compile();
    const stack = await stackWith(graphAgent(graph), { storage });
    await stack.answerTo('One');
    expect(seen).toEqual([[expect.objectContaining({ content: 'One' })]]);
  });
});

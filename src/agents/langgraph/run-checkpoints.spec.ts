import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { ADA, listTypes } from '../../runs/run.testing.js';
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
} from './langgraph-stack.testing.js';
import { findToolMessages } from './langgraph.testing.js';

interface SentCall {
  readonly operation: string;
  readonly input: {
    readonly batches?: readonly { readonly frames: string }[];
    readonly taskId?: string;
    readonly parentId?: string | null;
  };
}

/** Collects the calls that go to the worker as one message: one transaction, or part of one. */
function transactionsFromNow(): () => SentCall[][] {
  const sent = jest.spyOn(Worker.prototype, 'postMessage');
  return () =>
    sent.mock.calls.flatMap(([request]) => {
      const { calls = [], reads = [] } = request as { calls?: SentCall[]; reads?: SentCall[] };
      return [[...calls, ...reads]];
    });
}

const listCalls = (transactions: readonly SentCall[][], operation: string) =>
  transactions.flat().filter((sent) => sent.operation === operation);

const human = (stack: Stack, threadId: string) =>
  stack
    .readMessages(threadId)
    .then((messages) => messages.filter(({ type }) => type === 'human').map(({ text }) => text));

afterEach(async () => {
  jest.restoreAllMocks();
  await closeStacks();
});

describe('the checkpoints of a turn with one step', () => {
  it('stores one checkpoint for a turn, with the one of the turn before as its parent', async () => {
    const stack = await stackWith(chat(scripted((messages) => ({ chunks: [`Answer ${messages.length}.`] }))));
    const transactions = transactionsFromNow();
    const { threadId } = await stack.answerTo('One');
    await stack.answerTo('Two', threadId);

    expect(listCalls(transactions(), 'putWrites')).toEqual([]);
    const [first, second, ...others] = listCalls(transactions(), 'putCheckpoint');
    expect(others).toEqual([]);
    expect(first?.input.parentId).toBeNull();
    const { checkpointer } = stack.storage;
    const newest = await checkpointer.getTuple({ configurable: { thread_id: threadId } });
    expect(second?.input.parentId).toBe(newest?.parentConfig?.configurable?.['checkpoint_id']);
    const before = await checkpointer.getTuple(newest?.parentConfig ?? {});
    expect(before?.checkpoint.channel_values['messages']).toHaveLength(2);
    expect((await stack.readMessages(threadId)).map(({ text }) => text)).toEqual([
      'One',
      'Answer 1.',
      'Two',
      'Answer 3.',
    ]);
  });

  it('reads the checkpoint once for each turn of a known thread and keeps the history', async () => {
    const stack = await stackWith(chat(scripted((messages) => ({ chunks: [`Answer ${messages.length}.`] }))));
    const { threadId } = await stack.answerTo('One');
    const transactions = transactionsFromNow();
    await stack.answerTo('Two', threadId);
    expect(listCalls(transactions(), 'getCheckpoint')).toHaveLength(1);
    await stack.answerTo('Three', threadId);
    const said = (await stack.readMessages(threadId)).map(({ text }) => text);
    expect(said).toEqual(['One', 'Answer 1.', 'Two', 'Answer 3.', 'Three', 'Answer 5.']);
  });

  it('starts a client-named thread empty, even if a checkpoint exists under the same id', async () => {
    const storage = await openStorage();
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('echo', () => ({ messages: [] }))
      .addEdge(START, 'echo')
      .addEdge('echo', END)
      .compile({ checkpointer: storage.checkpointer });
    await graph.invoke({ messages: ['One'] }, { configurable: { thread_id: 'mine' } });

    const stack = await stackWith(chat(scripted(() => ({ chunks: ['Yes.'] }))), { storage });
    const run = await stack.runs.start({
      principal: ADA,
      message: 'Two',
      threadId: 'mine',
      createThread: true,
    });
    await stack.readLog(run.id);
    expect((await stack.readMessages(run.threadKey)).map(({ text }) => text)).toEqual(['Two', 'Yes.']);
    expect((await stack.readMessages('mine')).map(({ text }) => text)).toEqual(['One']);
  });

  it('stores every checkpoint of a turn when all are kept', async () => {
    const storage = new SqliteStorage({ directory: ':memory:', keepCheckpoints: 'all' });
    await storage.open();
    try {
      const stack = await stackWith(chat(scripted(() => ({ chunks: ['Yes.'] }))), { storage });
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

describe('the step of a graph', () => {
  it("stores the step-end event in the same transaction as the task's result", async () => {
    const transactions = transactionsFromNow();
    const model = scripted((messages) =>
      findToolMessages(messages).length > 0
        ? { chunks: ['Done.'] }
        : { chunks: ['Look. '], calls: [call('c')] },
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

  it('stores the result of a step while its siblings are still at work', async () => {
    let finish = () => {};
    const slow = noteTool('slow', () => new Promise((resolve) => (finish = () => resolve('late'))));
    const model = scripted((messages) =>
      findToolMessages(messages).length > 0
        ? { chunks: ['Done.'] }
        : { calls: [call('q', 'quick'), call('s', 'slow')] },
    );
    const stack = await stackWith(chat(model), { tools: [noteTool('quick', () => 'soon'), slow] });
    const transactions = transactionsFromNow();
    const { id, threadId } = await stack.ask('Go');
    await reached(stack, id, (event) => event.type === 'step-end' && event.name === 'tools');
    const [early] = listCalls(transactions(), 'putWrites');
    const pending = (await stack.storage.checkpointer.getTuple({ configurable: { thread_id: threadId } }))
      ?.pendingWrites;
    expect(pending?.map(([taskId]) => taskId)).toContain(early?.input.taskId);
    finish();
    expect(toolEnds(await stack.readLog(id))).toEqual(['q ok', 's ok']);
  });
});

describe("a user's message", () => {
  it.each([
    ['fails', { failure: Object.assign(new Error('No.'), { status: 400 }) }],
    ['is cancelled', { chunks: ['Well'], hold: hang }],
    [
      'is cancelled and ignores its signal',
      { chunks: ['Well'], hold: () => new Promise<void>(() => undefined) },
    ],
  ])("stores the user's message when the first step %s", async (_how, reply) => {
    const model = scripted((_, count) => (count === 1 ? reply : { chunks: ['I see.'] }));
    const stack = await stackWith(chat(model));
    const { id, threadId } = await stack.ask('One');
    if ('hold' in reply) {
      await reached(stack, id, (event) => event.type === 'text-delta');
      await stack.runs.cancel(ADA, id);
    }
    expect(listTypes(await stack.readLog(id)).at(-1)).toBe('end');
    expect(await human(stack, threadId)).toEqual(['One']);
    await stack.answerTo('Two', threadId);
    expect(await human(stack, threadId)).toEqual(['One', 'Two']);
  });

  it("lets a node, or a graph inside one, read the user's message from its thread's checkpoint", async () => {
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

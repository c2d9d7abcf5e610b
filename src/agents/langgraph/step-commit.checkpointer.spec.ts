import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import {
  call,
  chat,
  closeStacks,
  noteTool,
  scripted,
  stackWith,
  toolEnds,
} from './langgraph.stack.testing.js';
import { answersOf } from './langgraph.testing.js';

interface SentCall {
  readonly operation: string;
  readonly input: { readonly batches?: readonly { readonly frames: string }[]; readonly taskId?: string };
}

afterEach(async () => {
  jest.restoreAllMocks();
  await closeStacks();
});

describe('a step of a graph', () => {
  it("ends in the log in the same transaction in which its task's result is stored", async () => {
    const sent = jest.spyOn(Worker.prototype, 'postMessage');
    const model = scripted((messages) =>
      answersOf(messages).length > 0 ? { words: ['Done.'] } : { words: ['Look. '], calls: [call('c')] },
    );
    const stack = await stackWith(chat(model), { tools: [noteTool('note', () => 'x')] });
    const { log } = await stack.answerTo('Go');
    expect(toolEnds(log)).toEqual(['c ok']);

    // What goes to the worker as one message is one transaction, or part of one.
    const transactions = sent.mock.calls.flatMap(([calls]) =>
      Array.isArray(calls) ? [calls as SentCall[]] : [],
    );
    const ends = log.flatMap(({ event }) => (event.type === 'step-end' ? [event.stepId] : []));
    expect(ends).toHaveLength(3);
    for (const stepId of ends) {
      const holding = transactions.filter((calls) =>
        calls.some(({ operation, input }) => operation === 'putWrites' && input.taskId === stepId),
      );
      expect(holding).toHaveLength(1);
      const frames = holding[0]
        ?.flatMap(({ input }) => input.batches?.map((batch) => batch.frames) ?? [])
        .join();
      expect(frames).toContain('"step-end"');
      expect(frames).toContain(stepId);
    }
  });
});

describe('a thread that goes on', () => {
  it('is read once at the start of a run, and remembered as it was left', async () => {
    const model = scripted((messages) => ({ words: [`Answer ${messages.length}.`] }));
    const stack = await stackWith(chat(model));
    const { threadId } = await stack.answerTo('One');

    const sent = jest.spyOn(Worker.prototype, 'postMessage');
    await stack.answerTo('Two', threadId);
    const reads = sent.mock.calls
      .flatMap(([calls]) => (Array.isArray(calls) ? (calls as SentCall[]) : []))
      .filter(({ operation }) => operation === 'getCheckpoint');
    expect(reads).toHaveLength(1);

    await stack.answerTo('Three', threadId);
    const said = (await stack.messagesOf(threadId)).map(({ text }) => text);
    expect(said).toEqual(['One', 'Answer 1.', 'Two', 'Answer 3.', 'Three', 'Answer 5.']);
  });
});

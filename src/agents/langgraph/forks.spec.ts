import { afterEach, describe, expect, it } from '@jest/globals';
import { AIMessage, type BaseMessage } from '@langchain/core/messages';
import { END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { foldRun } from '../../events/run-view.js';
import { ADA } from '../../runs/run.testing.js';
import { closeStacks, graphAgent, openStorage, stackWith, type Stack } from './langgraph-stack.testing.js';

afterEach(closeStacks);

/** Replies with the number of its messages, and the earlier questions. */
const listening = () =>
  new StateGraph(MessagesAnnotation)
    .addNode('listen', ({ messages }) => ({ messages: [new AIMessage(`heard ${listQuestions(messages)}`)] }))
    .addEdge(START, 'listen')
    .addEdge('listen', END);

function listQuestions(messages: readonly BaseMessage[]): string {
  return messages
    .filter((message) => message.getType() === 'human')
    .map(({ text }) => text)
    .join(', ');
}

describe('a run that is asked elsewhere than after the newest one', () => {
  it('knows what was said before the run that it replaces, and nothing that came later', async () => {
    const stack = await stackWith(graphAgent(listening()));
    const one = await ask(stack, 'one');
    const two = await ask(stack, 'two', { threadId: one.threadId });
    await ask(stack, 'three', { threadId: one.threadId });
    const edited = await ask(stack, 'two again', { replaces: two.id });
    expect(edited.text).toBe('heard one, two again');
    expect((await ask(stack, 'four', { threadId: one.threadId })).text).toBe('heard one, two again, four');
    expect((await ask(stack, 'five', { parentRunId: two.id })).text).toBe('heard one, two, five');
  });

  it('starts a thread over with the same question', async () => {
    const stack = await stackWith(graphAgent(listening()));
    const one = await ask(stack, 'one');
    await ask(stack, 'two', { threadId: one.threadId });
    const again = await ask(stack, '', { replaces: one.id });
    expect(again.text).toBe('heard one');
    expect(await stack.runs.get(ADA, again.id)).toMatchObject({ message: 'one', parentId: null });
    expect((await ask(stack, 'new', { threadId: one.threadId, parentRunId: null })).text).toBe('heard new');
  });

  it('continues from the nearest earlier run that has stored a state, and knows the question of one that never started', async () => {
    const stack = await stackWith(graphAgent(listening()));
    const one = await ask(stack, 'one');
    await ask(stack, 'two', { threadId: one.threadId });
    const { executor } = stack;
    await executor.drain(0);
    const stopped = await stack.runs.start({ principal: ADA, message: 'unheard', parentRunId: one.id });
    await stack.runs.cancel(ADA, stopped.id);
    const next = await stackWith(graphAgent(listening()), { storage: stack.storage });
    await next.readLog(stopped.id);
    const later = await ask(next, 'three', { parentRunId: stopped.id });
    expect(later.text).toBe('heard one, unheard, three');
  });

  it('goes on from the middle of a run where the one before it would have, which was stopped or replaced before it began', async () => {
    const graph = () =>
      new StateGraph(MessagesAnnotation)
        .addNode('listen', ({ messages }) => ({
          messages: [new AIMessage(`after ${messages.map(({ text }) => text).join(', ')}`)],
        }))
        .addNode('add', () => ({ messages: [new AIMessage('more')] }))
        .addEdge(START, 'listen')
        .addEdge('listen', 'add')
        .addEdge('add', END);
    const serve = (storage?: Stack['storage']) =>
      stackWith(graphAgent(graph(), { keepsStates: true }), storage && { storage });
    for (const [start, heard] of [
      [{ message: 'new' }, 'after one, after one, fork, (No answer.), new more'],
      [{ message: 'new', rollsBack: true }, 'after one, after one, new more'],
      [{ message: 'new', isOtherText: true }, 'after one, after one, new more'],
      [{ message: '', isOtherText: true }, 'after one, after one, fork more'],
    ] as const) {
      const stack = await serve();
      const one = await ask(stack, 'one');
      const states = (await stack.readLog(one.id)).flatMap(({ event }) =>
        event.type === 'checkpoint' && event.step === 1 ? [event.checkpointId] : [],
      );
      await stack.executor.drain(0);
      const { threadId } = one;
      const place = { parentRunId: one.id, fromCheckpoint: states[0]! };
      const fork = await stack.runs.start({ principal: ADA, message: 'fork', threadId, ...place });
      const next = await serve(stack.storage);
      if (!('rollsBack' in start)) {
        await stack.runs.cancel(ADA, fork.id);
        await next.readLog(fork.id);
      }
      const later = await ask(next, start.message, {
        threadId,
        ...('rollsBack' in start && { whenBusy: 'rollback' as const }),
        ...('isOtherText' in start && { replaces: fork.id }),
      });
      expect(later.text).toBe(heard);
      await closeStacks();
    }
  });

  it('fails, instead of continuing from another state, once the state of the earlier run is gone', async () => {
    const stack = await stackWith(graphAgent(listening()));
    const one = await ask(stack, 'one');
    const two = await ask(stack, 'two', { threadId: one.threadId });
    await stack.storage.checkpointer.deleteThread(two.threadId);
    await ask(stack, 'three', { threadId: one.threadId });
    const late = await ask(stack, 'late', { parentRunId: one.id });
    expect(late.end).toMatchObject({ outcome: 'failed', error: { code: 'STATE_EXPIRED' } });
  });

  it('refuses a place that the thread does not have, or two of them', async () => {
    const stack = await stackWith(graphAgent(listening()), { storage: await openStorage() });
    const one = await ask(stack, 'one');
    const other = await ask(stack, 'other');
    const start = { principal: ADA, message: 'x', threadId: one.threadId };
    const code = (start: Promise<unknown>) => start.then(null, (error: { code: string }) => error.code);
    expect(await code(stack.runs.start({ ...start, parentRunId: 'unknown' }))).toBe('NOT_FOUND');
    expect(await code(stack.runs.start({ ...start, replaces: other.id }))).toBe('NOT_FOUND');
    const stranger = { ...ADA, tenant: 'elsewhere' };
    expect(await code(stack.runs.start({ principal: stranger, message: 'x', replaces: one.id }))).toBe(
      'NOT_FOUND',
    );
    expect(await code(stack.runs.start({ ...start, parentRunId: one.id, replaces: one.id }))).toBe(
      'REQUEST_INVALID',
    );
  });
});

async function ask(
  stack: Stack,
  message: string,
  place: Partial<Parameters<Stack['runs']['start']>[0]> = {},
) {
  const { id, threadId } = await stack.runs.start({ principal: ADA, message, ...place });
  const log = await stack.readLog(id);
  const texts = foldRun(id, log).parts.flatMap((part) => (part.kind === 'text' ? [part.text] : []));
  return { id, threadId, text: texts.join(' '), end: log.at(-1)?.event };
}

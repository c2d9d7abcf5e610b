import { describe, expect, it } from '@jest/globals';
import { createAnswer, ScriptedAgent } from '../testing/scripted.agent.js';
import { ADA, aborted, processWith, type TestProcess } from './run.testing.js';
import { ThreadService } from './thread.service.js';

const EVE = { ...ADA, userId: 'eve' };

const echo = new ScriptedAgent(({ message }, context) => {
  for (const event of createAnswer(context, ['You said ', message])) void context.emit(event);
});
const hangs = new ScriptedAgent((_, { signal }) => aborted(signal));

function createThreads({ storage, runs, feed }: TestProcess) {
  return { threads: new ThreadService(storage.runs, storage.log, runs, feed) };
}

describe('ThreadService', () => {
  it('returns messages folded from the logs, page by page from the newest', async () => {
    const worker = processWith([echo]);
    const { threads } = createThreads(worker);
    await worker.executor.start();
    let threadId: string | undefined;
    for (const message of ['1', '2', '3']) {
      const run = await worker.runs.start({ principal: ADA, message, ...(threadId && { threadId }) });
      threadId = run.threadId;
      await worker.readLog(run.id);
    }
    await worker.executor.drain(0);

    const newest = await threads.messages(ADA, threadId as string, { limit: 2 });
    expect(newest.items.map(({ role, text }) => [role, text])).toEqual([
      ['user', '2'],
      ['assistant', 'You said 2'],
      ['user', '3'],
      ['assistant', 'You said 3'],
    ]);
    const { nextCursor } = newest;
    const oldest = await threads.messages(ADA, threadId as string, {
      limit: 2,
      ...(nextCursor && { cursor: nextCursor }),
    });
    expect(oldest.items.map(({ text }) => text)).toEqual(['1', 'You said 1']);
    expect(oldest.nextCursor).toBeUndefined();
    expect(oldest.items[1]).toMatchObject({ view: { status: 'completed' } });
  });

  it('returns the answer of a run that changes the state, and no question', async () => {
    const worker = processWith([Object.assign(new ScriptedAgent(() => {}), { takesStateChanges: true })]);
    const { threads } = createThreads(worker);
    await worker.executor.start();
    const stateChange = { updates: [] };
    const { id, threadId } = await worker.runs.start({ principal: ADA, message: '…', stateChange });
    await worker.readLog(id);
    await worker.executor.drain(0);
    const { items } = await threads.messages(ADA, threadId, { limit: 2 });
    expect(items.map(({ role }) => role)).toEqual(['assistant']);
  });

  it('refuses the threads of others like unknown ones', async () => {
    const worker = processWith([echo]);
    const { threads } = createThreads(worker);
    const { threadId } = await worker.runs.start({ principal: ADA, message: 'Hi' });
    expect((await threads.list(ADA, { limit: 5 })).items).toMatchObject([{ id: threadId, title: 'Hi' }]);
    expect((await threads.list(EVE, { limit: 5 })).items).toEqual([]);
    for (const attempt of [
      threads.get(EVE, threadId),
      threads.messages(EVE, threadId, { limit: 1 }),
      threads.delete(EVE, threadId),
      threads.get(ADA, 'unknown'),
    ]) {
      await expect(attempt).rejects.toMatchObject({ code: 'NOT_FOUND' });
    }
  });

  it('cancels the running run before it deletes a thread', async () => {
    const worker = processWith([hangs]);
    const { threads } = createThreads(worker);
    await worker.executor.start();
    const { id, threadId } = await worker.runs.start({ principal: ADA, message: 'Hi' });
    const watched = worker.readLog(id);
    await threads.delete(ADA, threadId);
    expect((await watched).at(-1)?.event).toMatchObject({ type: 'end', outcome: 'cancelled' });
    await expect(threads.get(ADA, threadId)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(worker.runs.get(ADA, id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await worker.storage.log.read(id, 0, 10)).toEqual([]);
    await worker.executor.drain(0);
  });

  it('deletes a thread whose run ends at the same moment', async () => {
    const worker = processWith([hangs]);
    const { threads } = createThreads(worker);
    await worker.executor.start();
    const { id, threadId } = await worker.runs.start({ principal: ADA, message: 'Hi' });
    const requestCancel = worker.storage.runs.requestCancel.bind(worker.storage.runs);
    // The run has ended when the wish to cancel arrives: what comes back is a run that has its `end` already.
    worker.storage.runs.requestCancel = async (runId) => {
      await requestCancel(runId);
      worker.storage.wakeups.notify(`control:${runId}`);
      await worker.readLog(runId);
      return worker.storage.runs.get(runId);
    };
    await threads.delete(ADA, threadId);
    await expect(worker.runs.get(ADA, id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await worker.executor.drain(0);
  });
});

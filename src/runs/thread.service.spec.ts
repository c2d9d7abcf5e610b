import { describe, expect, it } from '@jest/globals';
import { answer, ScriptedAgent } from '../testing/scripted.agent.js';
import { ADA, aborted, processWith, type Process } from './run.testing.js';
import { ThreadMemory, ThreadService } from './thread.service.js';

class NotedMemory extends ThreadMemory {
  readonly forgotten: string[] = [];

  async forget(threadId: string): Promise<void> {
    this.forgotten.push(threadId);
  }
}

const EVE = { ...ADA, userId: 'eve' };

const echo = new ScriptedAgent(({ message }, context) => {
  for (const event of answer(context, ['You said ', message])) void context.emit(event);
});
const hangs = new ScriptedAgent((_, { signal }) => aborted(signal));

function threadsOf({ storage, runs, feed }: Process) {
  const memory = new NotedMemory();
  return { memory, threads: new ThreadService(storage.runs, storage.log, runs, feed, memory) };
}

describe('thread service', () => {
  it('tells what was said, folded from the logs, page by page from the newest', async () => {
    const worker = processWith([echo]);
    const { threads } = threadsOf(worker);
    await worker.executor.start();
    let threadId: string | undefined;
    for (const message of ['1', '2', '3']) {
      const run = await worker.runs.start({ principal: ADA, message, ...(threadId && { threadId }) });
      threadId = run.threadId;
      await worker.logOf(run.id);
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

  it('does not know the threads of somebody else', async () => {
    const worker = processWith([echo]);
    const { threads } = threadsOf(worker);
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

  it('ends the run that goes on before it removes a thread, and what the agent remembers of it', async () => {
    const worker = processWith([hangs]);
    const { threads, memory } = threadsOf(worker);
    await worker.executor.start();
    const { id, threadId } = await worker.runs.start({ principal: ADA, message: 'Hi' });
    const watched = worker.logOf(id);
    await threads.delete(ADA, threadId);
    expect((await watched).at(-1)?.event).toMatchObject({ type: 'end', outcome: 'cancelled' });
    expect(memory.forgotten).toEqual([threadId]);
    await expect(threads.get(ADA, threadId)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(worker.runs.get(ADA, id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await worker.storage.log.read(id, 0, 10)).toEqual([]);
    await worker.executor.drain(0);
  });

  it('removes a thread whose run ends by itself at that very moment', async () => {
    const worker = processWith([hangs]);
    const { threads } = threadsOf(worker);
    await worker.executor.start();
    const { id, threadId } = await worker.runs.start({ principal: ADA, message: 'Hi' });
    const requestCancel = worker.storage.runs.requestCancel.bind(worker.storage.runs);
    // The run has ended when the wish to cancel arrives: what comes back is a run that has its `end` already.
    worker.storage.runs.requestCancel = async (runId) => {
      await requestCancel(runId);
      worker.storage.wakeups.notify(`control:${runId}`);
      await worker.logOf(runId);
      return worker.storage.runs.get(runId);
    };
    await threads.delete(ADA, threadId);
    await expect(worker.runs.get(ADA, id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await worker.executor.drain(0);
  });
});

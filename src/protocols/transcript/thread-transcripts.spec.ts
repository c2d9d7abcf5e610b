import { describe, expect, it } from '@jest/globals';
import { ADA, processWith, type TestProcess } from '../../runs/run.testing.js';
import { ThreadService } from '../../runs/thread.service.js';
import { ScriptedAgent } from '../../testing/scripted.agent.js';
import { ThreadTranscripts } from './thread-transcripts.js';

function createTranscripts({ storage, runs, feed }: TestProcess): ThreadTranscripts {
  const { log, runs: store } = storage;
  return new ThreadTranscripts(new ThreadService(store, log, runs, feed), store, log);
}

describe('ThreadTranscripts.listRuns', () => {
  const silent = new ScriptedAgent(() => undefined);
  const queued = () => processWith([silent], { whenBusy: 'queue' });
  const ask = ({ runs }: TestProcess) =>
    runs.start({ principal: ADA, message: 'Hi', threadId: 'thread', createThread: true });

  it('lists the runs of a thread in order and returns known runs unchanged', async () => {
    const process = queued();
    const transcripts = createTranscripts(process);
    const started = [];
    for (let count = 0; count < 12; count++) started.push(await ask(process));
    const listIds = async (known?: Parameters<ThreadTranscripts['listRuns']>[2]) =>
      (await transcripts.listRuns(ADA, 'thread', known)).map(({ id }) => id);
    const ids = started.map(({ id }) => id);
    expect(await listIds()).toEqual(ids);
    expect(await listIds(started.slice(0, 1))).toEqual(ids);
    expect(await listIds(started)).toEqual(ids);
    const known = started.slice(0, 7);
    expect((await transcripts.listRuns(ADA, 'thread', known)).slice(0, 7)).toEqual(known);
  });

  it('reads the runs again when the last known one has been deleted', async () => {
    const process = queued();
    const transcripts = createTranscripts(process);
    const before = await ask(process);
    await process.storage.runs.deleteThread(ADA, 'thread');
    const after = await ask(process);
    expect((await transcripts.listRuns(ADA, 'thread', [before])).map(({ id }) => id)).toEqual([after.id]);
  });

  it('refuses to list the runs of another user', async () => {
    const process = queued();
    await ask(process);
    const eve = { ...ADA, userId: 'eve' };
    await expect(createTranscripts(process).listRuns(eve, 'thread')).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});

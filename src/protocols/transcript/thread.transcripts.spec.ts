import { describe, expect, it } from '@jest/globals';
import { ADA, processWith, type Process } from '../../runs/run.testing.js';
import { ThreadService } from '../../runs/thread.service.js';
import { ScriptedAgent } from '../../testing/scripted.agent.js';
import { ThreadTranscripts } from './thread.transcripts.js';

function transcriptsOf({ storage, runs, feed }: Process): ThreadTranscripts {
  const { log, runs: store } = storage;
  const memory = { forget: (threadId: string) => storage.checkpointer.deleteThread(threadId) };
  return new ThreadTranscripts(new ThreadService(store, log, runs, feed, memory), store, log);
}

describe('the runs of a thread', () => {
  const silent = new ScriptedAgent(() => undefined);
  const queued = () => processWith([silent], { whenBusy: 'queue' });
  const ask = ({ runs }: Process) =>
    runs.start({ principal: ADA, message: 'Hi', threadId: 'thread', createThread: true });

  it('come in their order, and those that are known come back as they were', async () => {
    const process = queued();
    const transcripts = transcriptsOf(process);
    const started = [];
    for (let count = 0; count < 12; count++) started.push(await ask(process));
    const idsOf = async (known?: Parameters<ThreadTranscripts['runsOf']>[2]) =>
      (await transcripts.runsOf(ADA, 'thread', known)).map(({ id }) => id);
    const ids = started.map(({ id }) => id);
    expect(await idsOf()).toEqual(ids);
    expect(await idsOf(started.slice(0, 1))).toEqual(ids);
    expect(await idsOf(started)).toEqual(ids);
    const known = started.slice(0, 7);
    expect((await transcripts.runsOf(ADA, 'thread', known)).slice(0, 7)).toEqual(known);
  });

  it('are read anew when the last known one is gone', async () => {
    const process = queued();
    const transcripts = transcriptsOf(process);
    const before = await ask(process);
    await process.storage.runs.deleteThread('thread');
    const after = await ask(process);
    expect((await transcripts.runsOf(ADA, 'thread', [before])).map(({ id }) => id)).toEqual([after.id]);
  });

  it("are nobody else's", async () => {
    const process = queued();
    await ask(process);
    const eve = { ...ADA, userId: 'eve' };
    await expect(transcriptsOf(process).runsOf(eve, 'thread')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

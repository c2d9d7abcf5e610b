import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { MemoryStorage } from '../storage/memory/memory.storage.js';
import { createAnswer, ScriptedAgent } from '../testing/scripted.agent.js';
import { EventCache } from './event.cache.js';
import { ReplacedText } from './replaced-text.js';
import { ADA } from './run.testing.js';
import { drainProcesses, startProcess } from './run-worker.testing.js';

describe('ReplacedText', () => {
  afterEach(async () => {
    jest.useRealTimers();
    await drainProcesses();
  });

  /** Runs an agent that takes back what it has said. */
  async function ran(): Promise<{ storage: MemoryStorage; runId: string }> {
    const storage = new MemoryStorage();
    const agent = new ScriptedAgent((_, context) => {
      for (const event of createAnswer(context, ['Secret. '], '1')) void context.emit(event);
      void context.emit({ type: 'step-reset', stepId: 'step-1', attempt: 1, reason: 'replaced' });
    });
    const process = await startProcess([agent], { storage });
    const { id } = await process.runs.start({ principal: ADA, message: 'Hi' });
    await process.readLog(id);
    return { storage, runId: id };
  }

  const readText = async ({ storage, runId }: Awaited<ReturnType<typeof ran>>): Promise<string> =>
    JSON.stringify(await storage.log.read(runId, 0, 100));

  it('keeps the text for the readers of a run that has just ended, and then deletes it', async () => {
    const done = await ran();
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    const { log, retention } = done.storage;
    const replaced = new ReplacedText({ log, retention, recent: new EventCache() }, 10_000);
    replaced.deleteSoon(done.runId);
    await jest.advanceTimersByTimeAsync(9_999);
    expect(await readText(done)).toContain('Secret.');
    await jest.advanceTimersByTimeAsync(1);
    expect(await readText(done)).not.toContain('Secret.');
  });

  it('deletes at once what is due when its process ends', async () => {
    const done = await ran();
    const { log, retention } = done.storage;
    const replaced = new ReplacedText({ log, retention, recent: new EventCache() });
    replaced.deleteSoon(done.runId);
    await replaced.deleteNow();
    expect(await readText(done)).not.toContain('Secret.');
  });
});

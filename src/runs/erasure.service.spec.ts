import { describe, expect, it } from '@jest/globals';
import { createAnswer, ScriptedAgent } from '../testing/scripted.agent.js';
import { ErasureService } from './erasure.service.js';
import { ADA, aborted, processWith } from './run.testing.js';
import { ThreadService } from './thread.service.js';

const EVE = { ...ADA, userId: 'eve' };
const LIMITS = { maxItems: 100, maxBytes: 10_000 };
const FACT = { namespace: ['facts'], key: 'a', value: '{}', vectors: [] };

const agent = new ScriptedAgent(({ message }, context) => {
  if (message === 'wait') return aborted(context.signal);
  for (const event of createAnswer(context, ['You said ', message])) void context.emit(event);
});

describe('ErasureService', () => {
  it('removes the threads, the files, the uploads and the items of a person, and nothing of others', async () => {
    const { storage, runs, feed, executor, readLog } = processWith([agent]);
    const threads = new ThreadService(storage.runs, storage.log, runs, feed);
    await executor.start();
    const kept = await runs.start({ principal: EVE, message: 'Hi' });
    const asked = [];
    for (const message of ['1', '2', 'wait']) asked.push(await runs.start({ principal: ADA, message }));
    await readLog(asked[0]!.id);
    for (const { threadKey, principal: owner } of [kept, asked[0]!]) {
      const blob = { owner, threadKey, id: 'file', mediaType: 'image/png', data: Buffer.from('png') };
      expect(await storage.blobs.put(blob, 1_000)).toBe('stored');
      const upload = { ...blob, id: 'upload', keepMs: 60_000 };
      expect(await storage.blobs.upload(upload, { maxOwnerBytes: 1_000, maxUploads: 1 })).toBe('stored');
      await storage.items.change(owner, [FACT], LIMITS);
      await storage.assistants.put(owner, { id: 'a', revision: 1, document: '{}' }, 10);
    }

    const erasure = new ErasureService(threads, storage.items, storage.assistants, storage.blobs);
    await Promise.all([erasure.erase(ADA), erasure.erase(ADA)]);
    expect((await threads.list(ADA, { limit: 10 })).items).toEqual([]);
    expect(await storage.blobs.describe(ADA, ['file', 'upload'])).toEqual([]);
    expect(await storage.items.listNamespaces(ADA)).toEqual([]);
    expect(await storage.assistants.list(ADA)).toEqual([]);
    for (const { id } of asked) expect(await storage.runs.get(id)).toBeUndefined();

    expect((await threads.list(EVE, { limit: 10 })).items).toHaveLength(1);
    expect(await storage.blobs.describe(EVE, ['file', 'upload'])).toHaveLength(2);
    expect(await storage.items.listNamespaces(EVE)).toEqual([['facts']]);
    expect(await storage.assistants.list(EVE)).toHaveLength(1);
    await executor.drain(0);
  });
});

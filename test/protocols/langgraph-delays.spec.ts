import { describe, expect, it } from '@jest/globals';
import { Client } from '@langchain/langgraph-sdk';
import { MemoryStorage } from '../../src/storage/memory/memory.storage.js';
import { chatServers } from '../support/chat.server.js';
import { SHARED_KINDS, testStorages } from '../support/storages.js';

const start = chatServers();
const storages = testStorages();
const input = { messages: [{ type: 'human', content: 'hello' }] };

describe.each(['memory', ...SHARED_KINDS] as const)('runs that begin later, on %s', (kind) => {
  const serve = async () => {
    const storage = kind === 'memory' ? new MemoryStorage() : await storages.make(kind);
    const { origin } = await start({ storage, protocols: {} });
    return new Client({
      apiUrl: `${origin}/protocols/langgraph`,
      apiKey: null,
      callerOptions: { maxRetries: 0 },
    });
  };

  it('are pending, keep their thread busy, and can be cancelled before', async () => {
    const client = await serve();
    const { thread_id } = await client.threads.create();
    const later = { input, afterSeconds: 600 };
    const { run_id, status } = await client.runs.create(thread_id, 'scripted', later);
    expect(status).toBe('pending');
    expect(await client.runs.list(thread_id, { status: 'pending' })).toHaveLength(1);
    expect((await client.threads.get(thread_id)).status).toBe('busy');
    await expect(client.runs.create(thread_id, 'scripted', { input })).rejects.toThrow('409');
    await client.runs.cancel(thread_id, run_id, true);
    await client.runs.join(thread_id, run_id);
    expect(await client.runs.get(thread_id, run_id)).toMatchObject({ status: 'interrupted' });
    expect((await client.threads.get(thread_id)).status).toBe('idle');
    await expect(
      client.runs.create(thread_id, 'scripted', { input, afterSeconds: 10_000_000 }),
    ).rejects.toThrow('after_seconds');
  });

  it('begin by themselves', async () => {
    const client = await serve();
    const { thread_id } = await client.threads.create();
    const { run_id } = await client.runs.create(thread_id, 'scripted', { input, afterSeconds: 0.1 });
    await client.runs.join(thread_id, run_id);
    expect(await client.runs.get(thread_id, run_id)).toMatchObject({ status: 'success' });
  });
});

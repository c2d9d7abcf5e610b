import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { describeStorage } from '../../testing/storage/storage.contract.js';
import { MemoryStorage } from './memory.storage.js';

describeStorage(
  { describe, it, expect },
  'MemoryStorage',
  async () => {
    let now = Date.now();
    const storage = new MemoryStorage({ clock: () => now });
    await storage.open();
    return {
      storage,
      advance: (ms) => {
        now += ms;
      },
      whereIs: async (text) => {
        const all = inspect(storage, {
          depth: Infinity,
          maxArrayLength: Infinity,
          maxStringLength: Infinity,
        });
        return all.includes(text) ? ['memory'] : [];
      },
      dispose: () => storage.close(),
    };
  },
  { durable: false },
);

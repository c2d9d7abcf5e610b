import type { ContractSuite } from '../storage-harness.js';

export function wakeupContract({ describe, test, expect }: ContractSuite): void {
  describe('wakeups', () => {
    test('wakes listeners in a later turn than the notify', async ({ storage }) => {
      let woken = 0;
      const hint = new Promise<void>((resolve) => {
        storage.wakeups.listen('log:r1', () => {
          woken += 1;
          resolve();
        });
      });
      storage.wakeups.notify('log:r1');
      expect(woken).toBe(0);
      await Promise.resolve();
      expect(woken).toBe(0);
      await hint;
      expect(woken).toBe(1);
    });

    test('wakes every listener of the topic, and neither other topics nor stopped listeners', async ({
      storage,
    }) => {
      const woken: string[] = [];
      const listen = (topic: 'log:r1' | 'log:r2', name: string) =>
        storage.wakeups.listen(topic, () => woken.push(name));
      const stop = listen('log:r1', 'stopped');
      listen('log:r2', 'other topic');
      listen('log:r1', 'first');
      const second = new Promise<void>((resolve) => {
        storage.wakeups.listen('log:r1', () => {
          woken.push('second');
          resolve();
        });
      });
      stop();
      storage.wakeups.notify('log:r1');
      await second;
      expect([...new Set(woken)].sort()).toEqual(['first', 'second']);
    });
  });
}

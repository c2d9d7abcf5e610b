import { afterEach, describe, expect, it } from '@jest/globals';
import { RedisServer } from '../../../test/harness/cluster/redis.server.js';
import { redisForTests } from '../../../test/harness/cluster/redis.testing.js';
import { SharedWakeups } from '../shared-wakeups.js';
import { RedisHints } from './redis-hints.js';

const redis = redisForTests(process.env);
const opened: RedisHints[] = [];

afterEach(async () => {
  for (const hints of opened.splice(0)) await hints.close();
});

async function processOn(url: string): Promise<SharedWakeups> {
  const hints = new RedisHints(url);
  const wakeups = new SharedWakeups(hints);
  opened.push(hints);
  await hints.open(wakeups);
  return wakeups;
}

function heard(wakeups: SharedWakeups, topic: Parameters<SharedWakeups['listen']>[0]): Promise<void> {
  return new Promise((resolve) => {
    const stop = wakeups.listen(topic, () => {
      stop();
      resolve();
    });
  });
}

(redis.isThere ? describe : describe.skip)('RedisHints', () => {
  it('carries a hint from one process to another', async () => {
    const [here, there] = [await processOn(redis.url), await processOn(redis.url)];
    const hint = heard(there, 'log:r1');
    here.notify('log:r1');
    await hint;
  });

  it('fails the start without Redis and names the option', async () => {
    await expect(processOn('redis://127.0.0.1:1')).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringContaining('url of RedisHints'),
    });
  });

  it('does not hold up callers while Redis is away, and wakes all listeners when it is back', async () => {
    const server = await RedisServer.start();
    const [here, there] = [await processOn(server.url), await processOn(server.url)];
    await server.kill();
    const own = heard(here, 'log:r1');
    here.notify('log:r1');
    await own;

    const looking = Promise.all([heard(here, 'log:r2'), heard(there, 'log:r2')]);
    await server.restart();
    await looking;
    const hint = heard(there, 'log:r3');
    const again = setInterval(() => here.notify('log:r3'), 10);
    await hint;
    clearInterval(again);
    await server.stop();
  });
});

import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { clusterLoop, killAndStart, killAtRandom, replace } from '../harness/cluster/cluster-loop.js';
import { clusters, expectNoComplaints, seed } from '../harness/cluster/cluster.testing.js';
import { redisForTests } from '../harness/cluster/redis.testing.js';

const redis = redisForTests(process.env);

/** `LONG=1` kills three times as often, and asks twice as much. */
const LONG = Boolean(process.env['LONG']);
const KILLS = LONG ? 15 : 5;
const PEOPLE = LONG ? 50 : 20;

describe('cluster whose processes are killed and replaced', () => {
  const start = clusters();

  it('loses no event and shows every reader the same while API, workers and database are killed at random', async () => {
    const started = await start();
    const report = await clusterLoop(started, {
      seed,
      people: 10,
      disaster: (note) => killAtRandom(started, { kills: KILLS, seed, note }),
    });
    expectNoComplaints(report);
    expect(report.kills).toBe(KILLS);
    expect(report.logs.flat().filter(({ event }) => event.type === 'run-resume').length).toBeGreaterThan(2);
  }, 300_000);

  it('loses no event when every process is replaced in turn under live readers', async () => {
    const started = await start();
    const report = await clusterLoop(started, {
      seed,
      people: PEOPLE,
      disaster: async (note) => {
        await sleep(1_000);
        for (const node of started.nodes) {
          note('restart');
          await replace(node);
        }
        await sleep(1_000);
      },
    });
    expectNoComplaints(report);
    expect(report.restarts).toBe(4);
  }, 300_000);

  (redis.isThere ? it : it.skip)(
    'loses no event when Redis carries the wakeups and every worker is killed in turn',
    async () => {
      const started = await start({ node: { redisUrl: redis.url } });
      const report = await clusterLoop(started, {
        seed,
        people: 6,
        disaster: async (note) => {
          await sleep(1_500);
          for (const worker of started.workers) {
            note('kill');
            await killAndStart(worker);
            await sleep(1_500);
          }
        },
      });
      expectNoComplaints(report);
    },
    200_000,
  );
});

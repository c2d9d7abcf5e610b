import { setTimeout as sleep } from 'node:timers/promises';
import { examine } from '../kill-loop/autopsy.js';
import { Crowd } from '../kill-loop/crowd.js';
import { ONCE_TOOLS } from '../kill-loop/effect-tools.js';
import { EFFECT_STEP } from '../kill-loop/graphs.js';
import type { KillReport } from '../kill-loop/kill-report.js';
import type { VictimServer } from '../kill-loop/victim.server.js';
import { between, randomFrom, toSeed } from '../../../src/testing/random.js';
import { checkEffects, checkSteps } from '../side-effect-ledger.js';
import type { Cluster } from './cluster.js';

export interface ClusterLoopOptions {
  readonly seed: number;
  /** Runs at a time. */
  readonly people: number;
  /** Damages the cluster while people ask and watch. Tells what it killed, and when. */
  readonly disaster: (note: (kill: 'kill' | 'restart') => void) => Promise<void>;
  /** Maximum wait for the last runs, in milliseconds. Default 90,000. */
  readonly patienceMs?: number;
}

/** People ask and watch while something happens to the cluster; then what is stored is held against what everybody saw. */
export async function clusterLoop(cluster: Cluster, options: ClusterLoopOptions): Promise<KillReport> {
  const { seed, people, disaster, patienceMs = 90_000 } = options;
  const startedAt = Date.now();
  const killedAt: number[] = [];
  let restarts = 0;
  const crowd = new Crowd({ people, origin: cluster.origin, seed, name: `person-${seed}` });
  try {
    await disaster((what) => {
      if (what === 'kill') killedAt.push(Date.now());
      else restarts += 1;
    });
  } finally {
    crowd.stopAsking();
  }
  await crowd.finish(patienceMs);
  const { watched, faults } = crowd;
  // What happens to a worker is nothing that a reader may notice.
  const outages = [cluster.database, ...cluster.apis].flatMap((each) => each.outages);
  const autopsy = await cluster.withStorage((storage) => examine(storage, watched, outages));
  const effects = cluster.ledger.read();
  return {
    seed,
    kills: killedAt.length,
    restarts,
    durationMs: Date.now() - startedAt,
    bootTimes: cluster.nodes.flatMap(({ bootTimes }) => bootTimes),
    killedAt,
    watched,
    effects,
    logs: autopsy.logs,
    anomalies: autopsy.anomalies,
    faults: [
      ...faults,
      ...autopsy.faults,
      ...checkEffects(effects, ONCE_TOOLS),
      ...checkSteps(effects, autopsy.logs, EFFECT_STEP),
    ],
  };
}

/** Where the share of the database ends, and that of all workers at once. */
const [DATABASE, ALL_WORKERS] = [0.2, 0.35];

/**
 * The kills of a cluster's kill loop, chosen by a seed: an API process, a worker, all workers at once, or the database itself,
 * which is started again on its data.
 */
export async function killAtRandom(
  cluster: Cluster,
  {
    kills,
    seed,
    note,
  }: { readonly kills: number; readonly seed: number; readonly note: (kill: 'kill') => void },
): Promise<void> {
  const random = randomFrom(toSeed(seed, 'killer'));
  const { apis, workers, database } = cluster;
  for (let kill = 0; kill < kills; kill += 1) {
    await sleep(between(random, 300, 2_500));
    // By chance alone, it could be no worker at all.
    const choice = kill === Math.floor(kills / 2) ? ALL_WORKERS : random();
    note('kill');
    if (choice < DATABASE) {
      await database.kill();
      await sleep(between(random, 0, 1_500));
      await database.restart();
    } else if (choice <= ALL_WORKERS) {
      await Promise.all(workers.map((worker) => killAndStart(worker)));
    } else {
      const nodes = choice < 0.6 ? apis : workers;
      await killAndStart(nodes[between(random, 0, nodes.length - 1)] as VictimServer);
    }
  }
}

/** Kills it, and starts it again at once. Resolves when it serves. */
export async function killAndStart(node: VictimServer): Promise<void> {
  await node.kill();
  if (!(await node.start().listening)) throw new Error('A process did not start again.');
}

/** Asks it to stop, as a deployment does, and starts the next. Resolves when that serves. */
export async function replace(node: VictimServer): Promise<void> {
  await node.stop();
  if (!(await node.start().listening)) throw new Error('A process did not start again.');
}

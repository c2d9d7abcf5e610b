import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SqliteStorage } from '../../../src/storage/sqlite/sqlite.storage.js';
import { FaultProxy } from '../../../src/testing/fault.proxy.js';
import { between, randomFrom, toSeed, type Random } from '../../../src/testing/random.js';
import { checkEffects, checkSteps, SideEffectLedger } from '../side-effect-ledger.js';
import { examine } from './autopsy.js';
import { Crowd } from './crowd.js';
import { ONCE_TOOLS } from './effect-tools.js';
import { EFFECT_STEP } from './graphs.js';
import type { KillReport } from './kill-report.js';
import { checkOwners } from './check-owners.js';
import type { GuestAgent } from './person.js';
import { toLedgerFile } from './victim.options.js';
import { VictimServer } from './victim.server.js';

type OnKill = ((kills: number) => void) | undefined;

export interface KillLoopOptions {
  readonly kills: number;
  /** Decides when it is killed, what the model says, and what people do; the machine decides the rest. */
  readonly seed: number;
  /**
   * Invites a run that ends its process again and again, and one that blocks it for longer than a lease lasts. The deaths by the poison count among
   * the kills. Default false.
   */
  readonly guests?: boolean;
  /** Runs at a time. Default 20. */
  readonly people?: number;
  /** Maximum wait for the last runs after the last kill, in milliseconds. Default 60,000. */
  readonly patienceMs?: number;
  readonly onKill?: OnKill;
}

const PROGRAM = new URL('./victim.process.ts', import.meta.url);

/** Duration of a life after the process listens, in milliseconds. */
const LIFE_MS = { least: 20, most: 1_200 };

/** Share and times of processes that die before they listen. */
const EARLY_DEATH = { share: 0.1, leastMs: 50, mostMs: 900 };

const GUESTS: readonly GuestAgent[] = ['poison', 'block'];

/**
 * Deaths of the poison after the last kill, before it is given up. Nothing else can be given up then: a run that has died as often is worked on
 * alone, and nothing kills it but itself.
 */
const DEATHS_AFTER_KILLS = 2;

/** Share of lives that end by a request to stop, as at a deployment. */
const RESTART_SHARE = 0.1;

/**
 * Kills a server with SIGKILL, again and again, at moments that a seed chooses, while people ask questions and watch the
 * answers; each time it is started again on the same data at once. When the last run has ended, what is stored is held against
 * what everybody saw.
 */
export async function killLoop(options: KillLoopOptions): Promise<KillReport> {
  const { kills, seed, people = 20, patienceMs = 60_000, guests = false, onKill } = options;
  const startedAt = Date.now();
  const directory = await mkdtemp(join(tmpdir(), 'kill-loop-'));
  const victim = new VictimServer(PROGRAM, {
    directory,
    seed,
    ...(guests && { maxOwners: kills + DEATHS_AFTER_KILLS }),
  });
  const proxy = await FaultProxy.listen({ target: () => victim.port, seed });
  let crowd: Crowd | undefined;

  try {
    if (!(await victim.start().listening)) throw new Error('The server did not start.');
    const invited = guests ? GUESTS : [];
    crowd = new Crowd({ people, origin: proxy.origin, seed, name: 'person', guests: invited });
    const random = randomFrom(toSeed(seed, 'killer'));
    const { killedAt, restarts } = await killAgainAndAgain(victim, { kills, random, onKill });
    crowd.stopAsking();
    const over = crowd.finish(patienceMs).then(() => 'over' as const);
    // The poison is at work until it is given up.
    while ((await Promise.race([over, victim.gone()])) !== 'over') await victim.start().listening;
    await victim.stop();
    const { watched, faults } = crowd;

    const storage = new SqliteStorage({ directory });
    await storage.open();
    const autopsy = await examine(storage, watched, victim.outages);
    await storage.close();
    const effects = new SideEffectLedger(toLedgerFile(directory)).read();
    return {
      seed,
      kills: killedAt.length,
      restarts,
      ownDeaths: victim.ownDeaths,
      blockers: victim.blockers,
      durationMs: Date.now() - startedAt,
      bootTimes: victim.bootTimes,
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
        ...autopsy.logs.flatMap((log) => checkOwners(log, victim.outages)),
      ],
    };
  } finally {
    crowd?.abort();
    await victim.kill();
    await proxy.close();
    await rm(directory, { recursive: true, force: true });
  }
}

/** Times at which the server died, in milliseconds since the epoch, and the number of requests to stop. */
interface Deaths {
  readonly killedAt: readonly number[];
  readonly restarts: number;
}

async function killAgainAndAgain(
  victim: VictimServer,
  { kills, random, onKill }: { readonly kills: number; readonly random: Random; readonly onKill: OnKill },
): Promise<Deaths> {
  const killedAt: number[] = [];
  let restarts = 0;
  let listening: Promise<boolean> = Promise.resolve(true);
  while (killedAt.length + victim.ownDeaths < kills) {
    const own = victim.ownDeaths;
    if (random() < EARLY_DEATH.share) await sleep(between(random, EARLY_DEATH.leastMs, EARLY_DEATH.mostMs));
    else {
      if (!(await listening) && own === victim.ownDeaths) throw new Error('The server died by itself.');
      await Promise.race([sleep(between(random, LIFE_MS.least, LIFE_MS.most)), victim.gone()]);
    }
    if (own < victim.ownDeaths) {
      await victim.gone();
    } else if (random() < RESTART_SHARE) {
      await victim.stop();
      restarts += 1;
    } else {
      await victim.kill();
      killedAt.push(Date.now());
      onKill?.(killedAt.length);
    }
    ({ listening } = victim.start());
  }
  if (!(await listening) && victim.ownDeaths === 0) throw new Error('The server died by itself.');
  return { killedAt, restarts };
}

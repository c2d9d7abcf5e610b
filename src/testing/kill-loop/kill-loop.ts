import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SqliteStorage } from '../../storage/sqlite/sqlite.storage.js';
import { FaultProxy } from '../fault.proxy.js';
import { between, randomFrom, seedOf, type Random } from '../random.js';
import { checkEffects, SideEffectLedger } from '../side-effect.ledger.js';
import { examine } from './autopsy.js';
import { ONCE_TOOLS } from './effect.tools.js';
import type { KillReport } from './kill.report.js';
import { Person, type WatchedRun } from './person.js';
import { ledgerFileOf } from './victim.options.js';
import { VictimServer } from './victim.server.js';

type OnKill = ((kills: number) => void) | undefined;

export interface KillLoopOptions {
  readonly kills: number;
  /** Decides when it is killed, what the model says, and what people do; the machine decides the rest. */
  readonly seed: number;
  /** The file of the server process: `victim.process.js` of the build. */
  readonly program: string;
  /** Runs at a time. Default 20. */
  readonly people?: number;
  /** How long the last runs may take after the last kill, in milliseconds. Default 60,000. */
  readonly patienceMs?: number;
  readonly onKill?: OnKill;
}

/** How long a life lasts after it has begun to listen, in milliseconds. */
const LIFE_MS = { least: 20, most: 1_200 };

/** How often, and how soon, a process dies before it has begun to listen. */
const EARLY_DEATH = { share: 0.1, leastMs: 50, mostMs: 900 };

/** How often it is asked to stop instead, as at a deployment. */
const RESTART_SHARE = 0.1;

/**
 * Kills a server with SIGKILL, again and again, at moments that a seed chooses, while people ask questions and watch the
 * answers; each time it is started again on the same data at once. When the last run has ended, what is stored is held against
 * what everybody saw.
 */
export async function killLoop(options: KillLoopOptions): Promise<KillReport> {
  const { kills, seed, program, people = 20, patienceMs = 60_000, onKill } = options;
  const startedAt = Date.now();
  const directory = await mkdtemp(join(tmpdir(), 'kill-loop-'));
  const victim = new VictimServer(program, { directory, seed });
  const proxy = await FaultProxy.listen({ target: () => victim.port, seed });
  const timeUp = new AbortController();
  const watched: WatchedRun[] = [];
  const faults: string[] = [];
  let goesOn = true;

  try {
    if (!(await victim.start().listening)) throw new Error('The server did not start.');
    const lives = Array.from({ length: people }, (_, index) =>
      new Person({
        name: `person-${index}`,
        origin: proxy.origin,
        random: randomFrom(seedOf(seed, 'person', index)),
        signal: timeUp.signal,
        goesOn: () => goesOn,
        onRun: (run) => watched.push(run),
        onFault: (fault) => faults.push(fault),
      }).live(),
    );
    const random = randomFrom(seedOf(seed, 'killer'));
    const { killedAt, restarts } = await killAgainAndAgain(victim, { kills, random, onKill });
    goesOn = false;
    const patience = setTimeout(() => timeUp.abort(), patienceMs);
    await Promise.all(lives);
    clearTimeout(patience);
    await victim.stop();

    const storage = new SqliteStorage({ directory });
    await storage.open();
    const autopsy = await examine(storage, watched);
    await storage.close();
    const effects = new SideEffectLedger(ledgerFileOf(directory)).read();
    return {
      seed,
      kills: killedAt.length,
      restarts,
      durationMs: Date.now() - startedAt,
      bootTimes: victim.bootTimes,
      killedAt,
      watched,
      effects,
      logs: autopsy.logs,
      anomalies: autopsy.anomalies,
      faults: [...faults, ...autopsy.faults, ...checkEffects(effects, ONCE_TOOLS)],
    };
  } finally {
    timeUp.abort();
    await victim.kill();
    await proxy.close();
    await rm(directory, { recursive: true, force: true });
  }
}

/** When the server died, in milliseconds since the epoch, and how often it was asked to. */
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
  while (killedAt.length < kills) {
    if (random() < EARLY_DEATH.share) await sleep(between(random, EARLY_DEATH.leastMs, EARLY_DEATH.mostMs));
    else {
      if (!(await listening)) throw new Error('The server died by itself.');
      await sleep(between(random, LIFE_MS.least, LIFE_MS.most));
    }
    if (random() < RESTART_SHARE) {
      await victim.stop();
      restarts += 1;
    } else {
      await victim.kill();
      killedAt.push(Date.now());
      onKill?.(killedAt.length);
    }
    ({ listening } = victim.start());
  }
  if (!(await listening)) throw new Error('The server died by itself.');
  return { killedAt, restarts };
}

import type { RecordedEvent } from '../../../src/events/recorded-event.js';
import type { Anomaly } from '../../../src/testing/history/history.js';
import type { SideEffect } from '../side-effect-ledger.js';
import type { WatchedRun } from './person.js';

/** The events and findings of a kill loop. */
export interface KillReport {
  readonly seed: number;
  readonly kills: number;
  /** Orderly stops in between. */
  readonly restarts: number;
  /** Lives that a run of the loop has ended. Default 0. */
  readonly ownDeaths?: number;
  /** Ids of the runs that the server has named as those at work when its thread was blocked. */
  readonly blockers?: ReadonlySet<string>;
  readonly durationMs: number;
  /** Milliseconds from each start until it listened. */
  readonly bootTimes: readonly number[];
  /** Time of each process's death, in milliseconds since the epoch. */
  readonly killedAt: readonly number[];
  readonly watched: readonly WatchedRun[];
  readonly logs: readonly (readonly RecordedEvent[])[];
  readonly effects: readonly SideEffect[];
  /** By the names of the history checker. */
  readonly anomalies: readonly Anomaly[];
  /** Other failures. */
  readonly faults: readonly string[];
}

/** The report as a table for people. */
export function formatTable(report: KillReport): string {
  const { seed, kills, restarts, durationMs, watched, logs, effects, anomalies, faults } = report;
  const stored = logs.flat();
  const seen = watched.flatMap(({ streams }) => streams);
  const connections = seen.reduce((sum, stream) => sum + stream.toReader().connections.length, 0);
  const takeovers = takeoverTimes(report);
  const count = (type: string) => logs.filter((log) => log.some(({ event }) => event.type === type)).length;
  const rows: [string, string][] = [
    ['seed', String(seed)],
    ['kills, deaths by a run', `${kills}, ${report.ownDeaths ?? 0}`],
    ['graceful restarts', String(restarts)],
    ['minutes', (durationMs / 60_000).toFixed(1)],
    ['runs, runs taken over', `${logs.length}, ${count('run-resume')}`],
    ['runs continued after an approval', String(count('input-answer'))],
    ['takeovers', String(stored.filter(({ event }) => event.type === 'run-resume').length)],
    ['steps reset', String(stored.filter(({ event }) => event.type === 'step-reset').length)],
    [
      'events stored, events received',
      `${stored.length}, ${seen.reduce((sum, { events }) => sum + events, 0)}`,
    ],
    ['clients, connections', `${seen.length}, ${connections}`],
    ['side effects', String(effects.filter(({ phase }) => phase === 'begun').length)],
    ['process start, ms (p50, p99)', percentiles(report.bootTimes)],
    ['takeover, ms (p50, p99)', percentiles(takeovers)],
    ['anomalies', String(anomalies.length + faults.length)],
  ];
  return rows.map(([name, value]) => `${name.padEnd(34)}${value}`).join('\n');
}

/** The first words about each thing that is wrong; empty when nothing is. */
export function listComplaints({ anomalies, faults }: Pick<KillReport, 'anomalies' | 'faults'>): string[] {
  return [...anomalies.map(({ name, runId, detail }) => `${name}: ${runId}: ${detail}`), ...faults];
}

/** From a death to the first event of the run's next owner: the process's start is in it. */
function takeoverTimes({ logs, killedAt }: KillReport): number[] {
  return logs.flat().flatMap(({ event, at }) => {
    if (event.type !== 'run-resume') return [];
    const death = killedAt.findLast((time) => time <= at);
    return death === undefined ? [] : [at - death];
  });
}

function percentiles(values: readonly number[]): string {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (share: number) => Math.round(sorted[Math.ceil(sorted.length * share) - 1] ?? 0);
  return `${at(0.5)}, ${at(0.99)}`;
}

import type { RecordedEvent } from '../../events/recorded-event.js';
import type { Anomaly } from '../history/history.js';
import type { SideEffect } from '../side-effect.ledger.js';
import type { WatchedRun } from './person.js';

/** What a kill loop did and found. */
export interface KillReport {
  readonly seed: number;
  readonly kills: number;
  /** Orderly stops in between. */
  readonly restarts: number;
  readonly durationMs: number;
  /** Milliseconds from each start until it listened. */
  readonly bootTimes: readonly number[];
  /** When each process died, in milliseconds since the epoch. */
  readonly killedAt: readonly number[];
  readonly watched: readonly WatchedRun[];
  readonly logs: readonly (readonly RecordedEvent[])[];
  readonly effects: readonly SideEffect[];
  /** By the names of the history checker. */
  readonly anomalies: readonly Anomaly[];
  /** What else is wrong. */
  readonly faults: readonly string[];
}

/** The report as a table for people. */
export function tableOf(report: KillReport): string {
  const { seed, kills, restarts, durationMs, watched, logs, effects, anomalies, faults } = report;
  const stored = logs.flat();
  const seen = watched.flatMap(({ streams }) => streams);
  const connections = seen.reduce((sum, stream) => sum + stream.toReader().connections.length, 0);
  const takeovers = takeoverTimes(report);
  const rows: [string, string][] = [
    ['seed', String(seed)],
    ['kills', `${kills}, and ${restarts} orderly restarts`],
    ['minutes', (durationMs / 60_000).toFixed(1)],
    [
      'runs',
      `${logs.length}, of them ${logs.filter((log) => log.some(({ event }) => event.type === 'run-resume')).length} taken over`,
    ],
    [
      'continued after approval',
      String(logs.filter((log) => log.some(({ event }) => event.type === 'approval-answer')).length),
    ],
    ['takeovers', String(stored.filter(({ event }) => event.type === 'run-resume').length)],
    ['steps taken back', String(stored.filter(({ event }) => event.type === 'step-reset').length)],
    ['events stored', String(stored.length)],
    ['events seen', String(seen.reduce((sum, { events }) => sum + events, 0))],
    ['clients', `${seen.length} of 4 kinds, ${connections} connections`],
    ['side effects', String(effects.filter(({ phase }) => phase === 'begun').length)],
    ['boot ms', percentiles(report.bootTimes)],
    ['takeover ms', percentiles(takeovers)],
    ['anomalies', String(anomalies.length + faults.length)],
  ];
  return rows.map(([name, value]) => `${name.padEnd(26)}${value}`).join('\n');
}

/** The first words about each thing that is wrong; empty when nothing is. */
export function complaintsOf({ anomalies, faults }: Pick<KillReport, 'anomalies' | 'faults'>): string[] {
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
  return `p50 ${at(0.5)}, p99 ${at(0.99)}`;
}

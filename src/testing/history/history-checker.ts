import { foldRun, getText } from '../../events/run-view.js';
import type { Anomaly, RunHistory } from './history.js';
import { checkLog, type Finding } from './log-checks.js';
import { checkReader, compare } from './reader-checks.js';

/**
 * Holds what is stored of a run against what was promised and what every reader saw, and names all that does not fit.
 * Pure; an empty answer means that nothing was lost, repeated, reordered or shown differently to anybody.
 */
export function checkHistory(history: RunHistory): Anomaly[] {
  const { runId, log, acknowledged = [], readers } = history;
  const stored = new Map(log.map((recorded) => [recorded.seq, recorded]));
  const broken = acknowledged.flatMap((promised): Finding[] => {
    const difference = compare(promised, stored.get(promised.seq));
    return difference ? [[difference, `acknowledged: ${promised.event.type} at ${promised.seq}`]] : [];
  });
  const findings = [
    ...checkLog(log),
    ...broken,
    ...readers.flatMap((reader) => checkReader(history, reader)),
    ...checkText(history),
  ];
  return findings.map(([name, detail]) => ({ name, runId, detail }));
}

function checkText({ runId, log, agentText }: RunHistory): Finding[] {
  if (agentText === undefined) return [];
  const shown = getText(foldRun(runId, log));
  return shown === agentText
    ? []
    : [['final-text', `viewers see ${quote(shown)}, the agent said ${quote(agentText)}`]];
}

function quote(text: string): string {
  return `'${text.length > 120 ? `${text.slice(0, 60)}…${text.slice(-60)}` : text}'`;
}

import { foldRun, listTexts } from '../../events/run-view.js';
import type { Anomaly, RunHistory } from './history.js';
import { restoreLog } from './compacted-log.js';
import { checkLog, type Finding } from './log-checks.js';
import { checkReader, compare } from './reader-checks.js';

/**
 * Holds what is stored of a run against what was promised and what every reader saw, and names all that does not fit.
 * Pure; an empty answer means that nothing was lost, repeated, reordered or shown differently to anybody.
 */
export function checkHistory(history: RunHistory): Anomaly[] {
  const { runId, log, acknowledged = [], readers } = history;
  const { written, findings: gone, isWhole } = restoreLog(history);
  const stored = new Map(written.map((recorded) => [recorded.seq, recorded]));
  const broken = acknowledged.flatMap((promised): Finding[] => {
    const difference = compare(promised, stored.get(promised.seq));
    return difference ? [[difference, `acknowledged: ${promised.event.type} at ${promised.seq}`]] : [];
  });
  const findings = [
    ...checkLog(isWhole ? written : log, { isWhole }),
    ...gone,
    ...broken,
    ...readers.flatMap((reader) => checkReader({ ...history, written }, reader)),
    ...checkText(history),
  ];
  return findings.map(([name, detail]) => ({ name, runId, detail }));
}

function checkText({ runId, log, agentMessages }: RunHistory): Finding[] {
  if (agentMessages === undefined) return [];
  const shown = listTexts(foldRun(runId, log)).filter((text) => text !== '');
  const rest = dropMessages(shown, agentMessages);
  return rest.shown.length === 0 && rest.missing.length === 0
    ? []
    : [['final-text', `viewers see ${quote(rest.shown)}, where the agent has ${quote(rest.missing)}`]];
}

/** Returns what is left of both behind the messages that are shown as they are. */
function dropMessages(
  shown: readonly string[],
  messages: readonly string[],
): { readonly shown: readonly string[]; readonly missing: readonly string[] } {
  let at = 0;
  for (const [index, message] of messages.entries()) {
    let [end, text] = [at, ''];
    while (text.length < message.length && end < shown.length) text += shown[end++];
    if (text !== message) return { shown: shown.slice(at), missing: messages.slice(index) };
    at = end;
  }
  return { shown: shown.slice(at), missing: [] };
}

function quote(texts: readonly string[]): string {
  const [first] = texts;
  if (first === undefined) return 'nothing';
  const text = first.length > 120 ? `${first.slice(0, 60)}…${first.slice(-60)}` : first;
  return `'${text}'${texts.length > 1 ? ` and ${texts.length - 1} more` : ''}`;
}

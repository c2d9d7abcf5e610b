import type { ModelCallRow, TimelineRow, WaitRow } from '../../events/run-timeline.js';
import { formatQuantity, formatCount, formatDuration, formatRate, toText } from './format.js';

/** Returns what a row is called. */
export function getLabel(row: TimelineRow): string {
  switch (row.kind) {
    case 'step':
      return row.name;
    case 'model-call':
      return row.model === 'unknown' ? 'Model call' : row.model;
    case 'text':
      return 'Text';
    case 'reasoning':
      return 'Reasoning';
    case 'tool':
      return row.label;
    case 'wait':
      return row.asked === 'client-tool'
        ? `Waits for the front end: ${row.label}`
        : `Waits for a person: ${row.label}`;
    case 'queue':
      return 'Queued';
    case 'dead':
      return row.reason === 'restart'
        ? 'Gone, until it was started again'
        : 'Gone, until another process took over';
    default:
      return row satisfies never;
  }
}

/** Returns what is to be said of a row beside its times, for people. */
export function describeRow(row: TimelineRow): string {
  const facts = [
    row.attempt > 1 && row.kind === 'step' && `attempt ${row.attempt}`,
    ...listFacts(row),
    row.state === 'cut' && 'cut off',
    row.replaced && REPLACED[row.replaced],
    row.state === 'open' && 'goes on',
  ];
  return facts.filter(Boolean).join(' · ');
}

export const ANSWERED = {
  approve: 'approved',
  edit: 'approved with changes',
  deny: 'denied',
  answer: 'answered',
} as const;

export const REPLACED = {
  takeover: 'replaced after a takeover',
  restart: 'replaced after a restart',
  retry: 'replaced by a retry',
  replaced: 'replaced by the agent',
} as const;

function listFacts(row: TimelineRow): readonly (string | false | undefined)[] {
  switch (row.kind) {
    case 'model-call':
      return row.state === 'failed' ? ['failed'] : listUsage(row);
    case 'text':
    case 'reasoning':
      return [formatQuantity(row.text.length, 'character')];
    case 'tool':
      return [row.outcome !== 'ok' && row.outcome?.replaceAll('-', ' '), row.error?.message];
    case 'wait':
      return [describeAnswer(row)];
    case 'step':
      return [row.subagent && row.subagent.name !== row.name && `agent ${row.subagent.name}`];
    case 'queue':
    case 'dead':
      return [];
    default:
      return row satisfies never;
  }
}

function listUsage({ usage, from, firstTokenAt, tokensPerSecond, finishReason }: ModelCallRow) {
  return [
    `${formatCount(usage.inputTokens)} in, ${formatCount(usage.outputTokens)} out`,
    firstTokenAt !== undefined && `first token ${formatDuration(firstTokenAt - from)}`,
    tokensPerSecond !== undefined && `${formatRate(tokensPerSecond)} tokens/s`,
    finishReason,
  ];
}

function describeAnswer({ state, decision, by, edited }: WaitRow): string {
  if (state === 'waiting' || decision === undefined) return 'not answered in this log';
  return `${ANSWERED[decision]} by ${by ?? 'somebody'}${edited === undefined ? '' : `: ${toText(edited)}`}`;
}

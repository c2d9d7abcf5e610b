import type { Usage } from './run-event.js';
import type { ModelCallRow, RunTimeline, TextRow, TimelineRow, ToolRow } from './run-timeline.js';
import { addUsage } from './usage.js';

/** The uses of a run's time. A moment with several of them counts for the first in this list. */
export const TIME_SHARES = ['dead', 'person', 'queue', 'tools', 'model', 'rest'] as const;
export type TimeShare = (typeof TIME_SHARES)[number];

/** Numbers of a run that answer the first questions about it. Durations are milliseconds. */
export interface RunFigures {
  readonly tookMs: number;
  /** From when it was asked for to its first word. Absent without one. */
  readonly firstWordMs?: number;
  readonly shares: Readonly<Record<TimeShare, number>>;
  readonly modelCalls: number;
  readonly failedModelCalls: number;
  readonly toolCalls: number;
  readonly failedToolCalls: number;
  /** The sum of all model calls, in subagents too. Absent without any. */
  readonly usage?: Usage;
  readonly slowestModelCall?: ModelCallRow;
  readonly slowestTool?: ToolRow;
}

export function measureRun(timeline: RunTimeline): RunFigures {
  const { from, to, rows } = timeline;
  const calls = rows.filter((row) => row.kind === 'model-call');
  const tools = rows.filter((row) => row.kind === 'tool');
  const words = rows.flatMap(listTexts).filter(({ kind }) => kind === 'text');
  const firstWordAt = Math.min(...words.map((text) => text.from));
  const slowestModelCall = findSlowest(calls);
  const slowestTool = findSlowest(tools);
  const usage = calls.reduce<Usage | undefined>((sum, call) => addUsage(sum, call.usage), undefined);
  return {
    tookMs: to - from,
    ...(words.length > 0 && { firstWordMs: Math.max(0, firstWordAt - from) }),
    shares: shareTime(timeline),
    modelCalls: calls.length,
    failedModelCalls: calls.filter(hasFailed).length,
    toolCalls: tools.length,
    failedToolCalls: tools.filter(hasFailed).length,
    ...(usage && { usage }),
    ...(slowestModelCall && { slowestModelCall }),
    ...(slowestTool && { slowestTool }),
  };
}

/** Each moment of a run counts for one thing, so that the shares add up to the whole. */
function shareTime({ from, to, rows }: RunTimeline): Record<TimeShare, number> {
  const spans = rows.flatMap((row) => {
    const share = getShare(row);
    return share ? [{ share, from: row.from, to: Math.min(row.to ?? to, to) }] : [];
  });
  const edges = [...new Set([from, to, ...spans.flatMap((span) => [span.from, span.to])])]
    .filter((edge) => edge >= from && edge <= to)
    .sort((one, other) => one - other);
  const shares = { dead: 0, person: 0, queue: 0, tools: 0, model: 0, rest: 0 };
  for (const [index, edge] of edges.entries()) {
    const next = edges[index + 1];
    if (next === undefined) break;
    const here = spans.filter((span) => span.from <= edge && span.to >= next);
    const share = TIME_SHARES.find((each) => here.some((span) => span.share === each)) ?? 'rest';
    shares[share] += next - edge;
  }
  return shares;
}

function getShare({ kind }: TimelineRow): TimeShare | undefined {
  switch (kind) {
    case 'dead':
    case 'queue':
      return kind;
    case 'wait':
      return 'person';
    case 'tool':
      return 'tools';
    case 'model-call':
    case 'text':
    case 'reasoning':
      return 'model';
    case 'step':
      return undefined;
    default:
      return kind satisfies never;
  }
}

/** The texts in a row. */
function listTexts(row: TimelineRow): readonly TextRow[] {
  if (row.kind === 'model-call') return row.texts;
  return row.kind === 'text' || row.kind === 'reasoning' ? [row] : [];
}

const hasFailed = ({ state }: TimelineRow): boolean => state === 'failed';

function findSlowest<Row extends TimelineRow>(rows: readonly Row[]): Row | undefined {
  return rows.toSorted((one, other) => getDuration(other) - getDuration(one))[0];
}

/** Returns the milliseconds that a row took; 0 for one that has not ended. */
function getDuration({ from, to = from }: TimelineRow): number {
  return to - from;
}

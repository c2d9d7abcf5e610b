import type { RunTimeline } from '../../events/run-timeline.js';

/** Maps time to a place between 0 and 1. */
export interface TimeAxis {
  readonly toFraction: (time: number) => number;
  /** Marks at round times since the beginning, away from breaks. */
  readonly ticks: readonly { readonly at: number; readonly fraction: number }[];
  /** Stretches in which nothing was done and that are drawn shorter than they were. */
  readonly breaks: readonly { readonly from: number; readonly to: number }[];
}

interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly isIdle: boolean;
}

/** The part of the axis that an idle stretch may take, against the time of work. */
const IDLE_SHARE = 0.12;
const TICKS = 8;

/**
 * Creates the axis of a timeline. An answer may wait two days for a person and work for ten seconds: unless it is `true` to scale, idle stretches
 * are drawn short.
 */
export function createTimeAxis(timeline: RunTimeline, scale: 'true' | 'short'): TimeAxis {
  const stretches = listStretches(timeline);
  const workedMs = sum(stretches.filter(({ isIdle }) => !isIdle));
  const longestIdle = Math.max(workedMs, 1) * IDLE_SHARE;
  const lengths = stretches.map(({ from, to, isIdle }) =>
    isIdle && scale === 'short' ? Math.min(to - from, longestIdle) : to - from,
  );
  const whole = lengths.reduce((one, other) => one + other, 0) || 1;

  const toFraction = (time: number): number => {
    let before = 0;
    for (const [index, { from, to }] of stretches.entries()) {
      const length = lengths[index] ?? 0;
      if (time <= to)
        return (before + (to > from ? (Math.max(0, time - from) / (to - from)) * length : 0)) / whole;
      before += length;
    }
    return 1;
  };
  const breaks = stretches.filter(({ from, to }, index) => (lengths[index] ?? 0) < to - from);
  return { toFraction, breaks, ticks: createTicks(timeline, toFraction, breaks) };
}

/** Work and idle stretches in turn, without a gap. */
function listStretches({ from, to, rows }: RunTimeline): Stretch[] {
  const idle = rows
    .filter(({ kind, to }) => (kind === 'dead' || kind === 'wait' || kind === 'queue') && to !== undefined)
    .map((row) => ({ from: row.from, to: row.to ?? row.from }))
    .sort((one, other) => one.from - other.from);
  const stretches: Stretch[] = [];
  let reached = from;
  for (const gap of idle) {
    const start = Math.max(gap.from, reached);
    if (gap.to <= start) continue;
    if (start > reached) stretches.push({ from: reached, to: start, isIdle: false });
    stretches.push({ from: start, to: gap.to, isIdle: true });
    reached = gap.to;
  }
  return reached < to || stretches.length === 0
    ? [...stretches, { from: reached, to: Math.max(to, reached), isIdle: false }]
    : stretches;
}

function createTicks(
  { from, to }: RunTimeline,
  toFraction: TimeAxis['toFraction'],
  breaks: TimeAxis['breaks'],
): TimeAxis['ticks'] {
  const workedMs = to - from - sum(breaks);
  const stepMs = toRoundStep(workedMs / TICKS);
  const ticks: { at: number; fraction: number }[] = [{ at: 0, fraction: 0 }];
  const candidates = [from, ...breaks.map((gap) => gap.to)];
  for (const [index, start] of candidates.entries()) {
    const end = breaks[index]?.from ?? to;
    for (let at = Math.ceil((start - from) / stepMs) * stepMs; at + from <= end; at += stepMs) {
      const fraction = toFraction(from + at);
      const isFree = !breaks.some((gap) => Math.abs(toFraction((gap.from + gap.to) / 2) - fraction) < 0.09);
      if (isFree && fraction - (ticks.at(-1)?.fraction ?? 0) >= 0.09 && fraction < 0.97)
        ticks.push({ at, fraction });
    }
  }
  return ticks;
}

/** 1, 2 or 5 times a power of ten, at least 1. */
function toRoundStep(ms: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(ms, 1)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= ms) ?? power;
}

function sum(stretches: readonly { readonly from: number; readonly to: number }[]): number {
  return stretches.reduce((whole, { from, to }) => whole + to - from, 0);
}

const number = new Intl.NumberFormat('en');
const precise = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const tick = new Intl.NumberFormat('en', { maximumFractionDigits: 3 });
const rough = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const money = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

/** `40 ms`, `0.43 s`, `12.00 s`, `3 min 05 s`, `2 h 10 min`, `3 d 4 h`. */
export function formatDuration(ms: number): string {
  if (ms < 100) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${precise.format(ms / 1_000)} s`;
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 3_600) return join([Math.floor(seconds / 60), 'min'], [seconds % 60, 's']);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1_440) return join([Math.floor(minutes / 60), 'h'], [minutes % 60, 'min']);
  return join([Math.floor(minutes / 1_440), 'd'], [Math.floor(minutes / 60) % 24, 'h']);
}

function join([large, one]: readonly [number, string], [small, other]: readonly [number, string]): string {
  return `${large} ${one} ${String(small).padStart(2, '0')} ${other}`;
}

/** `0`, `250 ms`, `1.5 s`, `2 min`: a time on an axis. */
export function formatTick(ms: number): string {
  if (ms === 0) return '0';
  if (ms < 1_000) return `${ms} ms`;
  if (ms < 60_000) return `${tick.format(ms / 1_000)} s`;
  return formatDuration(ms);
}

export const formatCount = (count: number): string => number.format(count);

export const formatRate = (perSecond: number): string => rough.format(perSecond);

/** Millionths of the currency of the price table, whose name no log has. */
export const formatCost = (micros: number): string => money.format(micros / 1e6);

export const formatMoment = (time: number): string => moment.format(time);

/** `1 event`, `2 events`. */
export function formatQuantity(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** A value as one line of JSON, or as several. */
export function toText(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent) ?? '';
}

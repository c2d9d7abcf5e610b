const number = new Intl.NumberFormat();
const seconds = new Intl.NumberFormat(undefined, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

const DAY_MS = 86_400_000;

/** `40 ms`, `0.4 s`, `12.0 s`, `3 min 05 s`. */
export function duration(ms) {
  return ms < 100 ? `${Math.round(ms)} ms` : elapsed(ms);
}

/** The same for a time that is still running, which would be a blur in milliseconds. */
export function elapsed(ms) {
  if (ms < 60_000) return `${seconds.format(ms / 1000)} s`;
  const whole = Math.floor(ms / 1000);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}

/** `1 token`, `1,204 tokens`. */
export function tokens(count) {
  return `${number.format(count)} ${count === 1 ? 'token' : 'tokens'}`;
}

/** The time for what was today, else the day. */
export function when(time, now = Date.now()) {
  return now - time < DAY_MS && new Date(now).getDate() === new Date(time).getDate()
    ? clock.format(time)
    : day.format(time);
}

export function fullTime(time) {
  return moment.format(time);
}

/** `agent_name` and `agentName` for people: `agent name`. */
export function words(name) {
  return name
    .replace(/[_-]+/g, ' ')
    .replace(/([a-z])([A-Z])/g, (_, before, after) => `${before} ${after.toLowerCase()}`);
}

const TICK_MS = 100;

let aheadMs = 0;
const listeners = new Set();
let timer;

/** Notes how far the server's clock is ahead of this one. */
export function setServerClock(ms) {
  aheadMs = ms;
}

/** Returns the time by the clock that dates the events of a run. */
export function serverNow() {
  return Date.now() + aheadMs;
}

/** Calls `tick` ten times a second, from one timer for the whole page. Returns what stops it. */
export function everyTick(tick) {
  listeners.add(tick);
  timer ??= setInterval(() => listeners.forEach((listener) => listener()), TICK_MS);
  return () => {
    listeners.delete(tick);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

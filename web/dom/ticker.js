const TICK_MS = 100;

const listeners = new Set();
let timer;

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

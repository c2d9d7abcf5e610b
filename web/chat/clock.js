let aheadMs = 0;

/** Notes how far the server's clock is ahead of this one. */
export function setServerClock(ms) {
  aheadMs = ms;
}

/** Returns the time by the clock that dates the events of a run. */
export function serverNow() {
  return Date.now() + aheadMs;
}

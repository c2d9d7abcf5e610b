let aheadMs = 0;

/** Notes how far the server's clock is ahead of this one. */
export function setServerClock(ms) {
  aheadMs = ms;
}

/** What time it is where the times in a run come from. */
export function serverNow() {
  return Date.now() + aheadMs;
}

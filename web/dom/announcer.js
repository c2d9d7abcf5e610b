const PAUSE_MS = 1500;

/** Says things to screen readers: gathered, so that one announcement does not cut off the one before. */
export class Announcer {
  #region;
  #waiting = [];
  #timer;

  constructor(region) {
    this.#region = region;
  }

  say(...sentences) {
    this.#waiting.push(...sentences);
    if (this.#waiting.length === 0 || this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#region.textContent = this.#waiting.splice(0).join(' ');
    }, PAUSE_MS);
  }

  /** Forgets what was not said yet. */
  hush() {
    this.#waiting.length = 0;
  }
}

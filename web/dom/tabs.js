/** Tells this browser's other tabs that something in a conversation has changed. A hidden tab learns of it when it is shown again. */
export class Tabs {
  #channel = new BroadcastChannel('conversations');
  #missed = new Set();

  /** @param onChange called with the thread's id */
  constructor(onChange) {
    this.#channel.addEventListener('message', ({ data }) => {
      if (document.hidden) this.#missed.add(data);
      else onChange(data);
    });
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) return;
      for (const threadId of this.#missed) onChange(threadId);
      this.#missed.clear();
    });
  }

  tell(threadId) {
    this.#channel.postMessage(threadId);
  }
}

import { Wakeups, type WakeupTopic } from '../runs/wakeups.js';

/** Hints inside one process, for storages that only one process uses. Hints of one turn of the event loop become one. */
export class LocalWakeups extends Wakeups {
  private readonly listeners = new Map<WakeupTopic, Set<() => void>>();
  private readonly hinted = new Set<WakeupTopic>();

  notify(topic: WakeupTopic): void {
    if (!this.listeners.has(topic)) return;
    if (this.hinted.size === 0) setImmediate(() => this.deliver());
    this.hinted.add(topic);
  }

  listen(topic: WakeupTopic, wake: () => void): () => void {
    // Wrapped, so that a function that listens twice is called twice, and each stop ends its own listening only.
    const listener = () => wake();
    const listeners = this.listeners.get(topic) ?? new Set();
    this.listeners.set(topic, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.listeners.get(topic) === listeners) this.listeners.delete(topic);
    };
  }

  private deliver(): void {
    const topics = [...this.hinted];
    this.hinted.clear();
    for (const topic of topics) {
      for (const listener of this.listeners.get(topic) ?? []) listener();
    }
  }
}

import { sentence } from './sentences.js';

const WATCH_MS = 5000;

/** The list of conversations, as the server has it. Looked at again while something runs in one of them, or the server is away. */
export class Threads {
  items = [];
  nextCursor;
  /** The reason why there is no list. */
  note;
  #chat;
  #events;
  #timer;
  #refreshing;
  #failed = false;

  /** @param events `onChange()`, `onSignIn()` */
  constructor(chat, events) {
    this.#chat = chat;
    this.#events = events;
    document.addEventListener('visibilitychange', () => document.hidden || this.refresh());
  }

  /** Reads the first page again. */
  refresh() {
    this.#refreshing ??= this.#read().finally(() => {
      this.#refreshing = undefined;
      this.#watch();
    });
    return this.#refreshing;
  }

  async more() {
    const page = await this.#chat.threads({ cursor: this.nextCursor });
    const known = new Set(this.items.map(({ id }) => id));
    this.items = [...this.items, ...page.items.filter(({ id }) => !known.has(id))];
    this.nextCursor = page.nextCursor;
    this.#events.onChange();
  }

  async remove(threadId) {
    await this.#chat.deleteThread(threadId);
    this.items = this.items.filter(({ id }) => id !== threadId);
    this.#events.onChange();
  }

  async #read() {
    try {
      const page = await this.#chat.threads();
      const ids = new Set(page.items.map(({ id }) => id));
      const last = page.items.at(-1);
      // Pages that were asked for before stay; what is missing among the newer ones was deleted elsewhere.
      const older = page.nextCursor
        ? this.items.filter(({ id, updatedAt }) => !ids.has(id) && updatedAt < last.updatedAt)
        : [];
      this.items = [...page.items, ...older];
      if (older.length === 0) this.nextCursor = page.nextCursor;
      this.#failed = false;
      this.note = this.items.length === 0 ? 'Your conversations appear here.' : undefined;
    } catch (error) {
      this.#failed = !error.needsSignIn;
      this.note = sentence(error);
      if (error.needsSignIn) this.#events.onSignIn();
    }
    this.#events.onChange();
  }

  #watch() {
    clearTimeout(this.#timer);
    const changing = this.#failed || this.items.some(({ activeRunId }) => activeRunId);
    if (changing && !document.hidden) this.#timer = setTimeout(() => this.refresh(), WATCH_MS);
  }
}

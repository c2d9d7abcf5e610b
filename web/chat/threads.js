import { sentence } from './sentences.js';

const WATCH_MS = 5_000;
const WATCH_HIDDEN_MS = 20_000;

/** Time after its answer in which a conversation may get another title, from a model. */
const NAMING_MS = 10_000;

/** The lists of conversations, as on the server. Read again while one of them runs or waits, or while the server is unreachable. */
export class Threads {
  items = [];
  /** Those that wait for a decision or an answer, however old they are. */
  waiting = [];
  pinned = [];
  nextCursor;
  /** True while archived conversations are shown. */
  archived = false;
  /** The reason why there is no list. */
  note;
  #chat;
  #events;
  #timer;
  #refreshing;
  /** The reading after the one that is on its way. */
  #next;
  #failed = false;
  /** The shown conversation, as it was when it was last asked about. */
  #seen = {};
  /** Id and time of the last change that was marked as read. */
  #readPlace;
  /** Conversations that were looked at again after their answer. */
  #lookedAt = new Set();

  /**
   * @param events `onChange()`, `onSignIn()`; `follows()`: true if the conversation that is shown has a run; `notifies()`: true if a hidden page tells
   * what is new
   */
  constructor(chat, events) {
    this.#chat = chat;
    this.#events = events;
    document.addEventListener('visibilitychange', () => (document.hidden ? this.#watch() : this.refresh()));
  }

  /** Reads the first pages again. What is on its way may have been read before the change that is asked about, so another reading follows it. */
  refresh() {
    if (this.#refreshing) {
      this.#next ??= this.#refreshing.then(() => {
        this.#next = undefined;
        return this.refresh();
      });
      return this.#next;
    }
    this.#refreshing = this.#read().finally(() => {
      this.#refreshing = undefined;
      this.#watch();
    });
    return this.#refreshing;
  }

  async more() {
    const { archived } = this;
    const page = await this.#chat.threads({ cursor: this.nextCursor, archived });
    if (archived !== this.archived) return;
    const known = new Set(this.items.map(({ id }) => id));
    this.items = [...this.items, ...page.items.filter(({ id }) => !known.has(id))];
    this.nextCursor = page.nextCursor;
    this.#events.onChange();
  }

  /** Shows the archived conversations, or the others again. */
  showArchived(archived) {
    this.archived = archived;
    this.items = [];
    this.nextCursor = undefined;
    return this.refresh();
  }

  /**
   * Searches all conversations. A page has those of the list first, and archived ones once there are no more of them.
   *
   * @param query `search`, `signal`, and `cursor`: the `nextCursor` of the page before
   */
  async search({ search, signal, cursor: { archived = false, cursor } = {} }) {
    const page = await this.#chat.threads({ search, signal, cursor, archived });
    if (page.nextCursor) return { items: page.items, nextCursor: { archived, cursor: page.nextCursor } };
    if (archived) return { items: page.items };
    const rest = await this.search({ search, signal, cursor: { archived: true } });
    return { ...rest, items: [...page.items, ...rest.items] };
  }

  async change(threadId, change) {
    const changed = await this.#chat.changeThread(threadId, change);
    const replace = (thread) => (thread.id === threadId ? changed : thread);
    for (const list of ['items', 'waiting', 'pinned']) this[list] = this[list].map(replace);
    this.#events.onChange();
    // It may belong to another list now.
    if (change.title === undefined && !change.read) await this.refresh();
    return changed;
  }

  /** Returns true if a conversation has changed since it was last asked about, or if another one was. */
  isNews({ id, updatedAt, activeRunId }) {
    const { id: seenId, updatedAt: seenAt, activeRunId: seenRunId } = this.#seen;
    this.#seen = { id, updatedAt, activeRunId };
    return id !== seenId || updatedAt !== seenAt || activeRunId !== seenRunId;
  }

  /** Marks a conversation as read, once for each change of it. */
  async noteRead({ id, unread, updatedAt }) {
    const place = `${id} ${updatedAt}`;
    if (!unread || this.#readPlace === place) return;
    this.#readPlace = place;
    await this.change(id, { read: true });
  }

  async remove(threadId) {
    await this.#chat.deleteThread(threadId);
    this.#drop(threadId);
    this.#events.onChange();
  }

  find(threadId) {
    return [...this.items, ...this.waiting, ...this.pinned].find(({ id }) => id === threadId);
  }

  #drop(threadId) {
    for (const list of ['items', 'waiting', 'pinned'])
      this[list] = this[list].filter(({ id }) => id !== threadId);
  }

  async #read() {
    const { archived } = this;
    try {
      const [page, waiting, pinned] = await Promise.all([
        this.#chat.threads({ archived }),
        this.#chat.threads({ waiting: true, limit: 100 }),
        this.#chat.threads({ pinned: true, limit: 100 }),
      ]);
      if (archived !== this.archived) return await this.#read();
      this.#take(page);
      this.waiting = waiting.items;
      this.pinned = pinned.items;
      this.#failed = false;
      this.note = this.items.length > 0 ? undefined : getNote(archived);
    } catch (error) {
      this.#failed = !error.needsSignIn;
      this.note = sentence(error);
      if (error.needsSignIn) this.#events.onSignIn();
    }
    this.#events.onChange();
  }

  #take(page) {
    const ids = new Set(page.items.map(({ id }) => id));
    const last = page.items.at(-1);
    // Pages that were loaded stay. Conversations missing from the newest ones were deleted elsewhere.
    const older = page.nextCursor
      ? this.items.filter(({ id, updatedAt }) => !ids.has(id) && updatedAt < last.updatedAt)
      : [];
    this.items = [...page.items, ...older];
    if (older.length === 0) this.nextCursor = page.nextCursor;
  }

  /** True once for each conversation that was answered just now. */
  #mayBeNamed() {
    const answered = this.items.filter(
      ({ id, activeRunId, updatedAt }) =>
        !activeRunId && Date.now() - updatedAt < NAMING_MS && !this.#lookedAt.has(id),
    );
    for (const { id } of answered) this.#lookedAt.add(id);
    return answered.length > 0;
  }

  /** A hidden tab only looks for the end of its own run, or for those that it notifies about: it holds no stream, and there may be many tabs. */
  #watch() {
    clearTimeout(this.#timer);
    const isAnswering = this.items.some(({ activeRunId }) => activeRunId);
    const looks = document.hidden
      ? this.#events.follows() || (isAnswering && this.#events.notifies())
      : this.#failed || this.waiting.length > 0 || isAnswering || this.#mayBeNamed();
    if (looks) this.#timer = setTimeout(() => this.refresh(), document.hidden ? WATCH_HIDDEN_MS : WATCH_MS);
  }
}

function getNote(archived) {
  return archived ? 'Archived conversations appear here.' : 'Your conversations appear here.';
}

import { withoutAttempt } from './attempts.js';
import { mergeEntries, toEntries } from './entries.js';
import { withoutReplaced } from './turns.js';

/** The entries of a conversation. Each has a key of its own; what did not change stays `===`. */
export class EntryList {
  items = [];
  #keys = 0;

  newKey() {
    return `e${++this.#keys}`;
  }

  find(key) {
    return this.items.find((entry) => entry.key === key);
  }

  /** Returns the last answer of a run. Undefined: it is not shown. */
  findAnswer(runId) {
    return this.items.findLast((entry) => entry.role === 'assistant' && entry.runId === runId);
  }

  change(key, changes) {
    const index = this.items.findIndex((entry) => entry.key === key);
    if (index >= 0) this.items = this.items.with(index, { ...this.items[index], ...changes });
  }

  /** Adds a message and its answer. Returns both. */
  addTurn({ text, files, attempt, view }) {
    const createdAt = Date.now();
    const user = { key: this.newKey(), role: 'user', text, files, createdAt };
    const answer = this.#toAnswer({ question: text, createdAt, attempt, view });
    this.items = [...this.items, user, answer];
    return { user, answer };
  }

  /** Adds an answer without a message: of a run that goes on with another one's turn. Returns it. */
  addAnswer({ question, view }) {
    const answer = this.#toAnswer({ question, createdAt: Date.now(), view });
    this.items = [...this.items, answer];
    return answer;
  }

  /** Removes a message that was not sent, with the answer that it did not get. Returns that. */
  takeAttempt(key) {
    const answer = this.find(key);
    this.items = withoutAttempt(this.items, key);
    return answer;
  }

  /** Adds the page before all others. */
  addEarlier(page) {
    this.items = [...this.#read(page), ...this.items];
  }

  /**
   * Shows the newest page of a branch, and leaves what is the same.
   *
   * @param followed the run that is followed: its answer stays to its end, also where another branch is the newest by now
   * @returns true if the page is the first of those that are shown
   */
  takeNewest(page, followed) {
    const fresh = withoutReplaced(this.#read(page), this.items);
    if (followed && !fresh.some(({ runId }) => runId === followed)) return false;
    const merged = mergeEntries(this.items, fresh);
    const isFirst = !merged || this.items.length === 0;
    this.items = merged ?? [...fresh, ...this.items.filter(({ runId }) => !runId)];
    return isFirst;
  }

  #toAnswer(answer) {
    return { key: this.newKey(), role: 'assistant', ...answer };
  }

  #read(page) {
    return toEntries(page, () => this.newKey());
  }
}

import { withoutAttempt, withoutReplaced } from './attempts.js';

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

/**
 * Returns the entries that show a page of messages.
 *
 * An entry is `{ key, role: 'user', text, files?, createdAt, runId?, versions? }` or
 * `{ key, role: 'assistant', question, createdAt, view, runId?, versions?, attempt?, connection?, problem?, closed?, feedback? }`. `attempt` is what the question
 * was sent with. `connection` is set while a run is followed. `problem` says why it is not: a sentence, and the remedies. `versions` are the runs
 * that took the turn, if there are several. `closed` is true if an answer waits for decisions that can no longer be made.
 */
function toEntries({ messages, inputs }, newKey) {
  let question;
  return messages.map((message, index) => {
    if (message.role === 'user') question = message.text;
    const { role, runId, createdAt, text, files, view, versions, resumeOf, feedback } = message;
    const key = newKey();
    if (role === 'user')
      return { key, role, text, ...(files && { files }), createdAt, runId, ...(versions && { versions }) };
    // What has come later in another branch closes what this one waits for.
    const closed = index === messages.length - 1 && view.status === 'awaiting-input' && !inputs;
    return {
      key,
      role,
      question,
      createdAt,
      runId,
      view,
      // The versions of a turn are at its message. An answer that goes on after a decision has none.
      ...(resumeOf && versions && { versions }),
      ...(closed && { closed }),
      ...(feedback && { feedback }),
    };
  });
}

/**
 * Returns the entries merged with the current messages of the server: the same array if nothing changed. Known entries keep their place, and unsent ones
 * stay last.
 *
 * @param fresh the newest page of messages, as entries
 * @returns undefined if the page begins after all that is shown
 */
function mergeEntries(shown, fresh) {
  const id = ({ role, runId }) => `${role} ${runId}`;
  const ids = new Set(fresh.map(id));
  const sent = shown.filter(({ runId }) => runId);
  const first = sent.findIndex((entry) => ids.has(id(entry)));
  if (first < 0 && sent.length > 0) return undefined;
  const known = new Map(sent.map((entry) => [id(entry), entry]));
  return [
    ...sent.slice(0, Math.max(first, 0)),
    ...fresh.map((entry) => update(known.get(id(entry)), entry)),
    ...shown.filter(({ runId }) => !runId),
  ];
}

/** A run that is followed knows more than the page that was read beside it. */
function update(known, fresh) {
  if (!known) return fresh;
  const { versions, closed, feedback } = fresh;
  const turn = { ...(versions && { versions }), ...(closed && { closed }), ...(feedback && { feedback }) };
  const isSameTurn =
    String(known.versions) === String(versions) &&
    known.closed === closed &&
    isSameFeedback(known.feedback, feedback);
  const { versions: _, closed: __, feedback: _feedback, ...rest } = known;
  if (known.role === 'user' || isFollowed(known) || isSame(known.view, fresh.view))
    return isSameTurn ? known : { ...rest, ...turn };
  const { problem: ___, connection: ____, ...kept } = rest;
  return { ...kept, ...turn, view: fresh.view };
}

function isFollowed({ connection }) {
  return connection !== undefined && connection.state !== 'ended' && connection.state !== 'failed';
}

function isSameFeedback(one, other) {
  return one?.rating === other?.rating && one?.comment === other?.comment;
}

function isSame(one, other) {
  const decided = ({ parts }) => parts.filter((part) => isInputPart(part) && part.decision).length;
  return one.seq === other.seq && one.status === other.status && decided(one) === decided(other);
}

/** True for a part that needs, or needed, an answer from outside. */
export function isInputPart(part) {
  return 'inputId' in part;
}

/** Lists the inputs that an answer still waits for. Empty if a later message has closed them. */
export function listOpen(entries) {
  const last = entries.at(-1);
  if (last?.view?.status !== 'awaiting-input' || last.closed) return [];
  return last.view.parts
    .filter((part) => isInputPart(part) && !part.decision)
    .map((part) => ({ key: last.key, part }));
}

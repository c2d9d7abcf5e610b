const PREFIX = 'draft:';
const OWNER = 'draft-owner';
/** The keys in the order in which they were last written, the oldest first. */
const ORDER = 'draft-order';
/** Drafts that are kept. Those of conversations that have gone elsewhere, as on another device, would stay for ever. */
const MOST_DRAFTS = 200;

/** Stores unsent text by thread, that of an edit by `<thread>/<run>`, and a form that was filled in by `<thread>/<run>/inputs/<input>`, beyond the life of the page. */
export class Drafts {
  #store;
  #shown = new Map();
  /** The person whose texts these are. Undefined until that is known. */
  #owner;
  /** True once nothing more is stored by this page. */
  #isLeft = false;

  constructor(store = browserStore()) {
    this.#store = store;
  }

  /** @param threadId undefined for a conversation that has not begun */
  read(threadId = '') {
    return this.#store.getItem(PREFIX + threadId) ?? '';
  }

  write(threadId = '', text = '') {
    if (this.#shown.get(threadId) === text || !this.#isOurs()) return;
    this.#shown.set(threadId, text);
    if (text === '') return this.#store.removeItem(PREFIX + threadId);
    this.#store.setItem(PREFIX + threadId, text);
    this.#limit(PREFIX + threadId);
  }

  /** Removes the forms of a thread, except those of the inputs that are still open. */
  forgetForms(threadId, openIds) {
    this.#remove((key) => {
      const [, inputId] = key.startsWith(`${PREFIX}${threadId}/`) ? key.split('/inputs/') : [];
      return inputId !== undefined && !openIds.includes(inputId);
    });
  }

  /** Removes the text of a thread and of the edits in it. */
  forget(threadId) {
    this.#remove((key) => key === PREFIX + threadId || key.startsWith(`${PREFIX}${threadId}/`));
  }

  /** Removes everything, because another person may use this browser next. Nothing more is stored by this page. */
  clear() {
    this.#remove((key) => key.startsWith(PREFIX) || key === OWNER || key === ORDER);
    this.#isLeft = true;
  }

  /**
   * Removes what another person has left, whose session may have ended by itself.
   *
   * @param owner names the person at this page
   * @returns true if it was another person's browser until now. Then nothing more is stored by this page, which may still show what they have typed
   */
  claim(owner) {
    const before = this.#store.getItem(OWNER);
    if (before !== null && before !== owner) this.clear();
    // In another tab, the drafts are theirs by now. What this page shows is not.
    else if (this.#owner !== undefined && this.#owner !== owner) this.#isLeft = true;
    else this.#owner = owner;
    this.#store.setItem(OWNER, owner);
    return this.#isLeft;
  }

  /** False in a tab that was left open, once another person has signed in in another one. */
  #isOurs() {
    return !this.#isLeft && (this.#owner === undefined || this.#owner === this.#store.getItem(OWNER));
  }

  /** Removes the oldest drafts where there are too many. */
  #limit(newest) {
    const ordered = JSON.parse(this.#store.getItem(ORDER) ?? '[]');
    if (ordered.at(-1) === newest) return;
    const there = new Set(this.#store.keys().filter((key) => key.startsWith(PREFIX) && key !== newest));
    const known = ordered.filter((key) => there.has(key));
    // Those of an earlier version have no place in the order.
    const oldest = [...there].filter((key) => !known.includes(key));
    const all = [...oldest, ...known, newest];
    for (const key of all.slice(0, -MOST_DRAFTS)) this.#store.removeItem(key);
    this.#store.setItem(ORDER, JSON.stringify(all.slice(-MOST_DRAFTS)));
  }

  #remove(isGone) {
    this.#shown.clear();
    for (const key of this.#store.keys()) if (isGone(key)) this.#store.removeItem(key);
  }
}

/** A storage that lasts until the page is closed, for browsers that allow no other. */
function browserStore() {
  const held = new Map();
  const attempt = (use, otherwise) => {
    try {
      return use(localStorage);
    } catch {
      return otherwise();
    }
  };
  return {
    getItem: (key) =>
      held.get(key) ??
      attempt(
        (store) => store.getItem(key),
        () => null,
      ),
    setItem: (key, text) =>
      attempt(
        (store) => {
          store.setItem(key, text);
          // What there was no room for is older.
          held.delete(key);
        },
        () => void held.set(key, text),
      ),
    removeItem: (key) => {
      held.delete(key);
      attempt(
        (store) => store.removeItem(key),
        () => undefined,
      );
    },
    keys: () => [
      ...held.keys(),
      ...attempt(
        (store) => Object.keys(store),
        () => [],
      ),
    ],
  };
}

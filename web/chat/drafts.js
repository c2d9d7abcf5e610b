const PREFIX = 'draft:';

/** Stores unsent text by thread, and that of an edit by `<thread>/<run>`, beyond the life of the page. */
export class Drafts {
  #store;
  #shown = new Map();

  constructor(store = browserStore()) {
    this.#store = store;
  }

  /** @param threadId undefined for a conversation that has not begun */
  read(threadId = '') {
    return this.#store.getItem(PREFIX + threadId) ?? '';
  }

  write(threadId = '', text = '') {
    if (this.#shown.get(threadId) === text) return;
    this.#shown.set(threadId, text);
    if (text === '') this.#store.removeItem(PREFIX + threadId);
    else this.#store.setItem(PREFIX + threadId, text);
  }

  /** Removes the text of a thread and of the edits in it. */
  forget(threadId) {
    this.#remove((key) => key === PREFIX + threadId || key.startsWith(`${PREFIX}${threadId}/`));
  }

  /** Removes everything, because another person may use this browser next. */
  clear() {
    this.#remove((key) => key.startsWith(PREFIX));
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
        (store) => store.setItem(key, text),
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

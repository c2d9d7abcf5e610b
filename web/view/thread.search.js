import { sentence } from '../chat/sentences.js';
import { el, say, set } from '../dom/el.js';
import { fullTime, when } from '../dom/format.js';
import { isComposing } from '../dom/keys.js';

/** Time after the last key before the search is asked, so that not every letter is one. */
const PAUSE_MS = 200;

/** A field to search conversations by their words, and those that were found. They take the place of the list while there is something to look for. */
export class ThreadSearch {
  #actions;
  #timer;
  #asking;
  #cursor;
  #field = el('input', {
    type: 'search',
    class: 'search-field',
    placeholder: 'Search',
    'aria-label': 'Search conversations',
    maxlength: 200,
    autocomplete: 'off',
    dir: 'auto',
  });
  #note = el('p', { class: 'threads-note', role: 'status' });
  #results = el('ul', { class: 'threads', 'aria-label': 'Found conversations' });
  #more = el('button', { type: 'button', class: 'more', hidden: true }, 'More results');
  element = el('div', { role: 'search' }, this.#field);
  found = el('div', { class: 'search-found', hidden: true }, this.#note, this.#results, this.#more);

  /**
   * @param actions `find({ search, cursor, signal })`: a page of threads; `open(id, match)`; `onSignIn()`; `instead`: the element that is hidden while
   *   something is looked for
   */
  constructor(actions) {
    this.#actions = actions;
    this.#field.addEventListener('input', () => this.#wait());
    this.#field.addEventListener('keydown', (event) => this.#key(event));
    this.#more.addEventListener('click', () => this.#ask(this.#cursor));
    this.found.addEventListener('keydown', (event) => this.#move(event));
  }

  get #words() {
    return this.#field.value.trim();
  }

  #wait() {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    const searches = this.#words !== '';
    set(this.found, 'hidden', !searches);
    set(this.#actions.instead, 'hidden', searches);
    if (searches) this.#timer = setTimeout(() => this.#ask(), PAUSE_MS);
    else this.#show([]);
  }

  async #ask(cursor) {
    const asking = new AbortController();
    this.#asking = asking;
    try {
      const { signal } = asking;
      const { items, nextCursor } = await this.#actions.find({ search: this.#words, cursor, signal });
      if (asking.signal.aborted) return;
      const place = cursor ? this.#results.childElementCount : 0;
      this.#show(items, cursor);
      this.#cursor = nextCursor;
      set(this.#more, 'hidden', !nextCursor);
      say(this.#note, describe(this.#results.childElementCount, nextCursor));
      // The button that had the focus may be gone.
      if (cursor) this.#links[place]?.focus();
    } catch (error) {
      if (asking.signal.aborted) return;
      if (!cursor) this.#show([]);
      if (error.needsSignIn) this.#actions.onSignIn();
      say(this.#note, sentence(error));
    }
  }

  #show(threads, isMore) {
    const rows = threads.map((thread) => this.#toRow(thread));
    if (isMore) return this.#results.append(...rows);
    this.#results.replaceChildren(...rows);
    set(this.#more, 'hidden', true);
    say(this.#note, '');
  }

  #toRow({ id, title, updatedAt, archived, match }) {
    const query = new URLSearchParams({ thread: id, ...(match.runId && { at: match.runId }) });
    const link = el(
      'a',
      { href: `?${query}`, class: 'found' },
      el('span', { class: 'thread-title', dir: 'auto' }, title || 'Conversation'),
      el(
        'time',
        { datetime: new Date(updatedAt).toISOString(), title: fullTime(updatedAt) },
        when(updatedAt),
      ),
      archived && el('span', { class: 'found-archived' }, 'Archived'),
      match.in !== 'title' && el('span', { class: 'found-text', dir: 'auto' }, ...mark(match)),
    );
    link.addEventListener('click', (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      this.#actions.open(id, match);
    });
    return el('li', { class: 'thread', 'data-testid': 'found' }, link);
  }

  get #links() {
    return [...this.#results.querySelectorAll('a')];
  }

  #key(event) {
    if (isComposing(event)) return;
    if (event.key === 'Escape' && this.#field.value !== '') {
      // It stops no answer, and closes no drawer.
      event.stopPropagation();
      event.preventDefault();
      this.#field.value = '';
      this.#wait();
    } else if (event.key === 'ArrowDown' && this.#links.length > 0) {
      event.preventDefault();
      this.#links[0].focus();
    } else if (event.key === 'Enter' && this.#words !== '') {
      clearTimeout(this.#timer);
      this.#asking?.abort();
      void this.#ask();
    }
  }

  /** Moves through what was found, and from the first back to the field. */
  #move(event) {
    const place = this.#links.indexOf(document.activeElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (place === -1 || !step) return;
    event.preventDefault();
    const next = place + step;
    (next < 0 ? this.#field : (this.#links[next] ?? this.#links[place])).focus();
  }
}

function describe(count, hasMore) {
  if (count === 0) return 'Nothing found.';
  if (hasMore) return `The latest ${count} conversations.`;
  return count === 1 ? '1 conversation found.' : `${count} conversations found.`;
}

/** Returns the words around, with the found ones marked. */
function mark({ text, marks }) {
  const pieces = [];
  let end = 0;
  for (const place of marks) {
    pieces.push(text.slice(end, place.start), el('mark', {}, text.slice(place.start, place.end)));
    end = place.end;
  }
  return [...pieces, text.slice(end)];
}

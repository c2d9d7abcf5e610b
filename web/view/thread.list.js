import { el, say, set } from '../dom/el.js';
import { fullTime, when } from '../dom/format.js';
import { icon } from '../dom/icons.js';

/** The conversations, latest first. Links, so that they open in another tab too. */
export class ThreadList {
  #actions;
  #list = el('ul', { class: 'threads' });
  #more = el('button', { type: 'button', class: 'more', hidden: true }, 'Older conversations');
  #note = el('p', { class: 'threads-note' });
  element = el('div', { class: 'threads-frame' }, this.#list, this.#note, this.#more);
  #rows = new Map();

  /** @param actions `open(id)`, `remove(thread)`, `more()` */
  constructor(actions) {
    this.#actions = actions;
    this.#more.addEventListener('click', () => actions.more());
  }

  update({ threads, current, hasMore, note }) {
    const ids = new Set(threads.map(({ id }) => id));
    for (const [id, row] of this.#rows) {
      if (ids.has(id)) continue;
      row.element.remove();
      this.#rows.delete(id);
    }
    let place = this.#list.firstElementChild;
    for (const thread of threads) {
      const row = this.#rows.get(thread.id) ?? this.#begin(thread.id);
      row.show(thread, thread.id === current);
      if (row.element === place) place = place.nextElementSibling;
      else this.#list.insertBefore(row.element, place);
    }
    say(this.#note, note ?? '');
    set(this.#more, 'hidden', !hasMore);
  }

  #begin(id) {
    const row = new ThreadRow(id, this.#actions);
    this.#rows.set(id, row);
    return row;
  }
}

class ThreadRow {
  #thread;
  #title = el('span', { class: 'thread-title' });
  #time = el('time', {});
  #running = el(
    'span',
    { class: 'thread-running', hidden: true },
    el('span', { class: 'unseen' }, 'Answering. '),
  );
  #link;
  #remove = el('button', { type: 'button', class: 'quiet' }, icon('trash'));
  element;

  constructor(id, { open, remove }) {
    this.#link = el(
      'a',
      { href: `?thread=${encodeURIComponent(id)}` },
      this.#running,
      this.#title,
      this.#time,
    );
    this.#link.addEventListener('click', (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      open(id);
    });
    this.#remove.addEventListener('click', () => remove(this.#thread));
    this.element = el(
      'li',
      { class: 'thread', 'data-testid': 'thread', 'data-thread': id },
      this.#link,
      this.#remove,
    );
  }

  show(thread, current) {
    this.#thread = thread;
    const { title, updatedAt, activeRunId } = thread;
    say(this.#title, title);
    set(this.#link, 'title', title);
    set(this.#link, 'aria-current', current && 'page');
    set(this.#running, 'hidden', !activeRunId);
    set(this.element, 'data-running', Boolean(activeRunId));
    say(this.#time, when(updatedAt));
    set(this.#time, 'datetime', new Date(updatedAt).toISOString());
    set(this.#time, 'title', fullTime(updatedAt));
    set(this.#remove, 'aria-label', `Delete “${title}”`);
    set(this.#remove, 'title', 'Delete');
  }
}

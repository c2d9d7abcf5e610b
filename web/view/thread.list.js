import { el, say, set } from '../dom/el.js';
import { ThreadRow } from './thread.row.js';

const DAY_MS = 86_400_000;

const month = new Intl.DateTimeFormat(undefined, { month: 'long', year: 'numeric' });

/** The conversations in groups, latest first. Links, so that they open in another tab too. */
export class ThreadList {
  #actions;
  #groups = new Map();
  #frame = el('div');
  #more = el('button', { type: 'button', class: 'more', hidden: true }, 'Older conversations');
  #note = el('p', { class: 'threads-note' });
  #archive = el('button', { type: 'button', class: 'archive-toggle' });
  #archived = false;
  element = el('div', { class: 'threads-frame' }, this.#frame, this.#note, this.#more, this.#archive);
  #rows = new Map();

  /** @param actions `open(id)`, `rename(id, title)`, `pin(thread)`, `archive(thread)`, `remove(thread)`, `more()`, `showArchived(archived)` */
  constructor(actions) {
    this.#actions = actions;
    this.#more.addEventListener('click', () => actions.more());
    this.#archive.addEventListener('click', () => actions.showArchived(!this.#archived));
    // More is loaded when the end of the list is reached.
    new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && actions.more(), {
      root: this.element,
      rootMargin: '200px',
    }).observe(this.#more);
  }

  /** @param threads as Threads has them */
  update(threads, current) {
    const groups = groupThreads(threads);
    this.#archived = threads.archived;
    this.#removeRest(new Set(groups.flatMap((group) => group.threads.map(({ id }) => id))));
    let place = this.#frame.firstElementChild;
    const names = new Set(groups.map(({ name }) => name));
    for (const group of groups) {
      const { element, list } = this.#groups.get(group.name) ?? this.#beginGroup(group.name);
      if (element === place) place = place.nextElementSibling;
      else this.#frame.insertBefore(element, place);
      this.#fill(list, group.threads, current);
    }
    for (const [name, { element }] of this.#groups) {
      if (names.has(name)) continue;
      element.remove();
      this.#groups.delete(name);
    }
    say(this.#note, threads.note ?? '');
    set(this.#more, 'hidden', !threads.nextCursor);
    say(this.#archive, threads.archived ? 'Back to all conversations' : 'Archived conversations');
  }

  /** Focuses the conversation at this index, or the last one, after one was removed there. */
  focus(place) {
    requestAnimationFrame(() => {
      const links = this.#frame.querySelectorAll('a');
      (links[Math.min(place, links.length - 1)] ?? this.#archive).focus();
    });
  }

  /** Returns the index of a conversation in the list. */
  indexOf(threadId) {
    return [...this.#frame.querySelectorAll('.thread')].findIndex(
      ({ dataset }) => dataset.thread === threadId,
    );
  }

  #removeRest(ids) {
    for (const [id, row] of this.#rows) {
      if (ids.has(id)) continue;
      row.element.remove();
      this.#rows.delete(id);
    }
  }

  #fill(list, threads, current) {
    let place = list.firstElementChild;
    for (const thread of threads) {
      const row = this.#rows.get(thread.id) ?? this.#beginRow(thread.id);
      row.show(thread, thread.id === current);
      if (row.element === place) place = place.nextElementSibling;
      else list.insertBefore(row.element, place);
    }
  }

  #beginRow(id) {
    const row = new ThreadRow(id, this.#actions);
    this.#rows.set(id, row);
    return row;
  }

  #beginGroup(name) {
    const id = `group-${name.toLowerCase().replaceAll(/\W+/g, '-')}`;
    const list = el('ul', { class: 'threads', 'aria-labelledby': id });
    const element = el(
      'div',
      { class: 'threads-group' },
      el('p', { id, class: 'threads-title' }, name),
      list,
    );
    const group = { element, list };
    this.#groups.set(name, group);
    return group;
  }
}

/**
 * Groups conversations, each once: those that need the person, then the pinned ones, then the rest by date.
 *
 * @returns groups, each `{ name, threads }`
 */
function groupThreads({ waiting, pinned, items, archived }, now = Date.now()) {
  const groups = new Map();
  const seen = new Set();
  const add = (name, thread) => {
    if (seen.has(thread.id)) return;
    seen.add(thread.id);
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(thread);
  };
  if (!archived) {
    for (const thread of waiting) add('Needs you', thread);
    for (const thread of pinned) add('Pinned', thread);
  }
  for (const thread of items) add(getAge(thread.updatedAt, now), thread);
  return Array.from(groups, ([name, threads]) => ({ name, threads }));
}

function getAge(time, now) {
  const today = new Date(now).setHours(0, 0, 0, 0);
  if (time >= today) return 'Today';
  if (time >= today - DAY_MS) return 'Yesterday';
  if (time >= today - 7 * DAY_MS) return 'Last 7 days';
  if (time >= today - 30 * DAY_MS) return 'Last 30 days';
  return month.format(time);
}

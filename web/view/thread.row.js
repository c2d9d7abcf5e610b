import { el, say, set } from '../dom/el.js';
import { fullTime, when } from '../dom/format.js';
import { icon } from '../dom/icons.js';
import { isComposing } from '../dom/keys.js';
import { openMenu } from './menu.js';

/** One conversation in the list: its state, its title, and a menu of what can be done with it. */
export class ThreadRow {
  #thread;
  #actions;
  #title = el('span', { class: 'thread-title', dir: 'auto' });
  #time = el('time', {});
  #sign = el('span', { class: 'thread-sign', hidden: true }, el('span', { class: 'unseen' }));
  #link;
  #more = el('button', { type: 'button', class: 'quiet', 'aria-haspopup': 'menu' }, icon('more'));
  element;

  constructor(id, actions) {
    this.#actions = actions;
    this.#link = el('a', { href: `?thread=${encodeURIComponent(id)}` }, this.#sign, this.#title, this.#time);
    this.#link.addEventListener('click', (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      actions.open(id);
    });
    this.#more.addEventListener('click', () => this.#openMenu());
    this.element = el(
      'li',
      { class: 'thread', 'data-testid': 'thread', 'data-thread': id },
      this.#link,
      this.#more,
    );
  }

  show(thread, current) {
    this.#thread = thread;
    const { updatedAt } = thread;
    // One that a program has made, and in which nothing was said.
    const title = thread.title || 'Conversation';
    say(this.#title, title);
    set(this.#link, 'title', title);
    set(this.#link, 'aria-current', current && 'page');
    const state = getState(thread);
    set(this.#sign, 'hidden', !state);
    say(this.#sign.firstElementChild, state ? `${state.words} ` : '');
    set(this.element, 'data-state', state?.name);
    say(this.#time, when(updatedAt));
    set(this.#time, 'datetime', new Date(updatedAt).toISOString());
    set(this.#time, 'title', fullTime(updatedAt));
    set(this.#more, 'aria-label', `More about “${title}”`);
    set(this.#more, 'title', 'More');
  }

  #openMenu() {
    const thread = this.#thread;
    const { pin, archive, remove } = this.#actions;
    openMenu(this.#more, [
      { label: 'Rename', click: () => this.#rename() },
      { label: thread.pinned ? 'Unpin' : 'Pin', click: () => pin(thread) },
      { label: thread.archived ? 'Bring back' : 'Archive', click: () => archive(thread) },
      { label: 'Delete', click: () => remove(thread), danger: true },
    ]);
  }

  #rename() {
    const { id, title } = this.#thread;
    const field = el('input', {
      class: 'thread-rename',
      dir: 'auto',
      'aria-label': `New title of “${title}”`,
    });
    field.value = title;
    let isOver = false;
    const end = (keeps) => {
      if (isOver) return;
      isOver = true;
      field.replaceWith(this.#link);
      const wanted = field.value.trim();
      if (keeps && wanted !== '' && wanted !== title) this.#actions.rename(id, wanted);
    };
    field.addEventListener('keydown', (event) => {
      if (isComposing(event) || (event.key !== 'Enter' && event.key !== 'Escape')) return;
      // Escape ends the renaming, but does not stop the answer.
      event.stopPropagation();
      end(event.key === 'Enter');
      this.#link.focus();
    });
    field.addEventListener('blur', () => end(true));
    this.#link.replaceWith(field);
    field.focus();
    field.select();
  }
}

/** Returns the state of a conversation that its row shows. */
function getState({ activeRunId, waiting, unread }) {
  if (activeRunId) return { name: 'running', words: 'Answering.' };
  if (waiting) return { name: 'waiting', words: 'Needs you.' };
  return unread && { name: 'unread', words: 'New answer.' };
}

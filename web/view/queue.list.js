import { el, set } from '../dom/el.js';
import { icon } from '../dom/icons.js';

/** The messages that are sent after the answer. Each can be edited or removed. */
export class QueueList {
  #actions;
  #shown;
  #list = el('ul', { class: 'queue-items', 'aria-label': 'Sent after the answer' });
  #next = el('button', { type: 'button', hidden: true }, 'Send now');
  element = el('div', { class: 'queue', hidden: true, 'data-testid': 'queue' }, this.#list, this.#next);

  /** @param actions `sendNext()`, `editQueued(key)`, `removeQueued(key)` */
  constructor(actions) {
    this.#actions = actions;
    this.#next.addEventListener('click', () => actions.sendNext());
  }

  /** @param idle true if the queue waits for the person, and is not sent by itself */
  update(queue, idle) {
    set(this.element, 'hidden', queue.length === 0);
    set(this.#next, 'hidden', !idle);
    if (queue === this.#shown) return;
    this.#shown = queue;
    this.#list.replaceChildren(...queue.map((message) => this.#row(message)));
  }

  #row({ key, text, files = [] }) {
    const button = (label, name, click) =>
      el(
        'button',
        { type: 'button', class: 'quiet', 'aria-label': label, title: label, on: { click } },
        icon(name),
      );
    return el(
      'li',
      { 'data-testid': 'queued' },
      icon('clock'),
      el(
        'span',
        { class: 'queue-text', dir: 'auto' },
        [text, ...files.map(({ name }) => name)].filter(Boolean).join(' · '),
      ),
      button('Edit', 'pen', () => this.#actions.editQueued(key)),
      button('Remove', 'close', () => this.#actions.removeQueued(key)),
    );
  }
}

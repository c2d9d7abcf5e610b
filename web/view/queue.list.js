import { el, set } from '../dom/el.js';
import { icon } from '../dom/icons.js';

/** The messages that are sent after the answer. Each can be edited or removed, or sent to the answer while that is being written. */
export class QueueList {
  #actions;
  #shown;
  #steers = false;
  #list = el('ul', { class: 'queue-items', 'aria-label': 'Sent after the answer' });
  #next = el('button', { type: 'button', hidden: true }, 'Send now');
  element = el('div', { class: 'queue', hidden: true, 'data-testid': 'queue' }, this.#list, this.#next);

  /** @param actions `sendNext()`, `steer(key)`, `editQueued(key)`, `removeQueued(key)` */
  constructor(actions) {
    this.#actions = actions;
    this.#next.addEventListener('click', () => actions.sendNext());
  }

  /**
   * @param options `idle`: true if the queue waits for the person, and is not sent by itself; `steers`: true if the answer that is being written
   *   takes messages
   */
  update(queue, { idle, steers }) {
    set(this.element, 'hidden', queue.length === 0);
    set(this.#next, 'hidden', !idle);
    if (queue === this.#shown && steers === this.#steers) return;
    this.#shown = queue;
    this.#steers = steers;
    const focused = this.#list.contains(document.activeElement);
    this.#list.replaceChildren(...queue.map((message) => this.#row(message)));
    // The button under a keyboard user's focus has just been drawn again.
    if (focused) this.#list.querySelector('button')?.focus();
  }

  #row({ key, text, files = [], replaces, steered }) {
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
      steered && el('span', { 'data-testid': 'steered' }, 'Sent to the answer'),
      this.#steers &&
        !steered &&
        !replaces &&
        files.length === 0 &&
        el(
          'button',
          {
            type: 'button',
            class: 'steer',
            title: 'Send now: the answer takes it at its next step',
            'data-testid': 'steer',
            on: { click: () => this.#actions.steer(key) },
          },
          'Send now',
        ),
      button('Edit', 'pen', () => this.#actions.editQueued(key)),
      button('Remove', 'close', () => this.#actions.removeQueued(key)),
    );
  }
}

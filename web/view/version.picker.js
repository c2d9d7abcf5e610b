import { findVersion } from '../../client/find-version.js';
import { el, say, set } from '../dom/el.js';
import { icon } from '../dom/icons.js';

/** Goes through the versions of a turn: `‹ 2/3 ›`. Hidden where a turn was taken once. */
export class VersionPicker {
  #version;
  #previous;
  #next;
  #place = el('span', { 'aria-hidden': 'true' });
  element;

  /** @param show `(runId, step)`: shows that version; `step` is `previous` or `next` */
  constructor(show) {
    const button = (label, step) =>
      el(
        'button',
        {
          type: 'button',
          class: 'quiet',
          'aria-label': label,
          title: label,
          on: { click: () => this.#version?.[step] && show(this.#version[step], step) },
        },
        icon('chevron'),
      );
    this.#previous = button('Previous version', 'previous');
    this.#next = button('Next version', 'next');
    this.element = el(
      'div',
      { class: 'versions', role: 'group', hidden: true, 'data-testid': 'versions' },
      this.#previous,
      this.#place,
      this.#next,
    );
  }

  /** @param message with its `runId` and `versions` */
  update(message) {
    this.#version = findVersion(message);
    set(this.element, 'hidden', !this.#version);
    if (!this.#version) return;
    const { place, count, previous, next } = this.#version;
    say(this.#place, `${place}/${count}`);
    set(this.element, 'aria-label', `Version ${place} of ${count}`);
    // A disabled button would lose the focus.
    set(this.#previous, 'aria-disabled', !previous && 'true');
    set(this.#next, 'aria-disabled', !next && 'true');
  }

  focus(step) {
    (step === 'previous' ? this.#previous : this.#next).focus({ preventScroll: true });
  }
}

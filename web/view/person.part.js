import { el } from '../dom/el.js';

/** A message that a person has sent into the answer. */
export class PersonPartView {
  #words = el('p', { dir: 'auto' });
  element = el(
    'div',
    { class: 'user person', role: 'note', 'aria-label': 'You', 'data-testid': 'person' },
    el('div', { class: 'bubble' }, this.#words),
  );

  update({ text }) {
    this.#words.textContent = text;
  }

  remove() {
    this.element.remove();
  }
}

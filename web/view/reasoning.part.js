import { el, say, set } from '../dom/el.js';
import { icon } from '../dom/icons.js';

/** The agent's reasoning: folded away, for those who want to look. */
export class ReasoningPartView {
  #title = el('span', {}, 'Thinking…');
  #text = el('div', { class: 'reasoning-text', dir: 'auto' });
  element = el(
    'details',
    { class: 'reasoning node' },
    el('summary', {}, this.#title, icon('chevron')),
    this.#text,
  );

  update({ text, open }) {
    set(this.element, 'data-open', open);
    say(this.#title, open ? 'Thinking…' : 'Reasoning');
    say(this.#text, text);
  }

  remove() {
    this.element.remove();
  }
}

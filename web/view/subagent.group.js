import { withCodes } from '../chat/hidden-characters.js';
import { el, say, set } from '../dom/el.js';
import { words } from '../dom/format.js';

/** The output of one agent inside the run's own, beside the answer: it is named, and can be folded. */
export class SubagentGroup {
  #name = el('span', { class: 'subagent-name' });
  #body = el('div', { class: 'parts' });
  element = el(
    'details',
    { class: 'subagent node', 'data-testid': 'subagent', open: true },
    el('summary', {}, this.#name),
    this.#body,
  );

  constructor({ name, toolCallId }) {
    set(this.element, 'data-agent', name);
    set(this.element, 'data-in-call', toolCallId !== undefined);
    set(this.#name, 'title', name);
    say(this.#name, withCodes(words(name)));
  }

  append(...elements) {
    this.#body.append(...elements);
  }

  /** True once nothing is left in it. */
  get isEmpty() {
    return this.#body.childElementCount === 0;
  }

  remove() {
    this.element.remove();
  }
}

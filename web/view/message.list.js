import { el } from '../dom/el.js';
import { AssistantMessageView, UserMessageView } from './message.view.js';

/** The messages of a conversation. Draws only what changed. */
export class MessageList {
  element = el('div', { class: 'messages' });
  #actions;
  #drawn = new Map();

  /** @param actions what messages can ask for: `retry(key)`, `reconnect(key)`, `answer(key, inputId, answer)` */
  constructor(actions) {
    this.#actions = actions;
  }

  update(entries) {
    const keys = new Set(entries.map(({ key }) => key));
    for (const [key, view] of this.#drawn) {
      if (keys.has(key)) continue;
      view.remove();
      this.#drawn.delete(key);
    }
    let place = this.element.firstElementChild;
    entries.forEach((entry, index) => {
      const view = this.#drawn.get(entry.key) ?? this.#begin(entry);
      view.update(entry, { last: index === entries.length - 1 });
      if (view.element === place) place = place.nextElementSibling;
      else this.element.insertBefore(view.element, place);
    });
  }

  #begin(entry) {
    const View = entry.role === 'user' ? UserMessageView : AssistantMessageView;
    const view = new View(entry, this.#actions);
    this.#drawn.set(entry.key, view);
    return view;
  }
}

import { el } from '../dom/el.js';
import { AssistantMessageView } from './assistant-message.view.js';
import { UserMessageView } from './user-message.view.js';

/** The messages of a conversation. Draws only what changed. */
export class MessageList {
  element = el('div', { class: 'messages' });
  #actions;
  #drawn = new Map();
  #entries = [];

  /** @param actions what messages can ask for: those of their views */
  constructor(actions) {
    this.#actions = actions;
  }

  /** @param busy true if the thread takes no other run for now */
  update(entries, busy) {
    this.#entries = entries;
    const keys = new Set(entries.map(({ key }) => key));
    for (const [key, view] of this.#drawn) {
      if (keys.has(key)) continue;
      view.remove();
      this.#drawn.delete(key);
    }
    let place = this.element.firstElementChild;
    entries.forEach((entry, index) => {
      const view = this.#drawn.get(entry.key) ?? this.#begin(entry);
      view.update(entry, { last: index === entries.length - 1, busy });
      if (view.element === place) place = place.nextElementSibling;
      else this.element.insertBefore(view.element, place);
    });
  }

  /** Returns the element of a run's message or answer. Undefined: it is not shown. */
  find(runId, role) {
    return this.#find((entry) => entry.role === role && entry.runId === runId)?.element;
  }

  /** Focuses the picker of a run's turn. Returns false if that is not shown. */
  focusVersion(runId, step) {
    const view = this.#find((entry) => entry.versions && entry.runId === runId);
    view?.focusVersion(step);
    return view !== undefined;
  }

  /** Opens the editor of a run's message. Returns false if that is not shown. */
  edit(runId) {
    const view = this.#find((entry) => entry.role === 'user' && entry.runId === runId);
    view?.edit();
    return view !== undefined;
  }

  #find(matches) {
    return this.#drawn.get(this.#entries.find(matches)?.key);
  }

  #begin(entry) {
    const View = entry.role === 'user' ? UserMessageView : AssistantMessageView;
    const view = new View(entry, this.#actions);
    this.#drawn.set(entry.key, view);
    return view;
  }
}

import { el, say, set } from '../dom/el.js';

/** Says above the composer that the conversation waits for decisions, which a new message would close. */
export class OpenRequests {
  #actions;
  #open = [];
  #text = el('span');
  #all = el('button', { type: 'button' }, 'Approve all');
  element = el(
    'div',
    { class: 'open-requests', hidden: true, 'data-testid': 'open-requests' },
    this.#text,
    el('button', { type: 'button', on: { click: () => this.#show() } }, 'Show'),
    this.#all,
  );

  /** @param actions `approveAll(open)` */
  constructor(actions) {
    this.#actions = actions;
    this.#all.addEventListener('click', () => this.#actions.approveAll(this.#open));
  }

  /** @param open as `Conversation.open` has them */
  update(open) {
    this.#open = open;
    const approvals = open.filter(({ part }) => part.kind === 'approval').length;
    set(this.element, 'hidden', open.length === 0);
    set(this.#all, 'hidden', approvals < 2 || approvals < open.length);
    const count = open.length === 1 ? 'One decision waits' : `${open.length} decisions wait`;
    say(this.#text, `${count} for you. A new message closes what is undecided.`);
  }

  #show() {
    const first = document.querySelector('.message[data-answerable] .approval[data-decision=open]');
    first?.scrollIntoView({ block: 'start' });
    first
      ?.querySelector('.approval-form :is(button, input, select, textarea)')
      ?.focus({ preventScroll: true });
  }
}

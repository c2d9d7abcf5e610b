import { el, set } from '../dom/el.js';
import { icon } from '../dom/icons.js';
import { ScrollFollow } from '../dom/scroll-follow.js';
import { emptyState } from './empty.state.js';
import { MessageList } from './message.list.js';

/** The conversation, and where its reader is in it. */
export class ConversationPane {
  #list;
  #empty;
  #problem = el('div', { class: 'notice pane-problem', 'data-kind': 'problem', role: 'alert', hidden: true });
  #loading = el(
    'p',
    { class: 'waiting', hidden: true },
    el('span', { class: 'wave', 'aria-hidden': 'true' }),
    'Opening the conversation…',
  );
  #earlier = el('button', { type: 'button', class: 'more', hidden: true }, 'Earlier messages');
  #latest = el(
    'button',
    { type: 'button', class: 'latest', hidden: true, 'data-testid': 'latest' },
    icon('down'),
    'Latest',
  );
  #follow;
  element;

  /** @param actions `ask(question)`, `retry(key)`, `reconnect(key)`, `answer(key, inputId, answer)`, `earlier()`, `startNew()` */
  constructor(actions) {
    this.#list = new MessageList(actions);
    this.#empty = emptyState(actions.ask);
    const content = el(
      'div',
      { class: 'column' },
      this.#empty,
      this.#problem,
      this.#loading,
      this.#earlier,
      this.#list.element,
    );
    const scroller = el(
      'section',
      { class: 'scroller', tabindex: '0', 'aria-label': 'Conversation' },
      content,
    );
    this.element = el('div', { class: 'pane' }, scroller, this.#latest);
    this.#follow = new ScrollFollow(scroller, content, (following) => set(this.#latest, 'hidden', following));
    this.#latest.addEventListener('click', () => this.#follow.follow({ smooth: true }));
    this.#earlier.addEventListener('click', () => actions.earlier());
    this.#problem.append(
      el('span'),
      el('button', { type: 'button', on: { click: actions.startNew } }, 'New conversation'),
    );
  }

  update({ entries, phase, problem, earlier, threadId }) {
    set(this.#empty, 'hidden', entries.length > 0 || phase === 'loading' || threadId !== undefined);
    set(this.#loading, 'hidden', phase !== 'loading');
    set(this.#problem, 'hidden', !problem);
    this.#problem.firstElementChild.textContent = problem?.message ?? '';
    set(this.#earlier, 'hidden', !earlier);
    this.#list.update(entries);
  }

  /** Shows the end and stays there. */
  toEnd() {
    this.#follow.follow();
  }

  /** Lets `change` add messages above without moving what is being read. */
  keepingPlace(change) {
    this.#follow.keepingPlace(change);
  }
}

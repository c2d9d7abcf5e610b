import { el, say, set } from '../dom/el.js';
import { icon } from '../dom/icons.js';
import { lazily } from '../dom/lazily.js';
import { ScrollFollow } from '../dom/scroll-follow.js';
import { emptyState } from './empty.state.js';

/** The conversation, and where its reader is in it. */
export class ConversationPane {
  /** Undefined until it is loaded: what shows messages is the larger part of the page, and the composer need not wait for it. */
  #list;
  #loadList;
  #messages = el('div');
  #broken = el(
    'p',
    { class: 'notice', 'data-kind': 'problem', role: 'alert', hidden: true },
    el('span'),
    el('button', { type: 'button', on: { click: () => location.reload() } }, 'Reload'),
  );
  #empty;
  #problem = el('div', { class: 'notice pane-problem', 'data-kind': 'problem', role: 'alert', hidden: true });
  #loading = el(
    'p',
    { class: 'waiting', hidden: true },
    el('span', { class: 'wave', 'aria-hidden': 'true' }),
    'Opening the conversation…',
  );
  #earlier = el('button', { type: 'button', class: 'more', hidden: true }, 'Earlier messages');
  #elsewhere = el(
    'p',
    { class: 'notice', 'data-kind': 'elsewhere', role: 'status', hidden: true },
    'Another version of this conversation is being answered.',
  );
  #latest = el(
    'button',
    { type: 'button', class: 'latest', hidden: true, 'data-testid': 'latest' },
    icon('down'),
    'Latest',
  );
  #follow;
  #scroller;
  element;

  /** @param actions `ask(question)`, `retry(key)`, `reconnect(key)`, `edit(key)`, `answer(key, inputId, answer)`, `earlier()`, `startNew()`, `showElsewhere()`, and those of the messages */
  constructor(actions) {
    this.#loadList = lazily(async () => {
      const { MessageList } = await import('./message.list.js');
      this.#list = new MessageList(actions);
      this.#messages.replaceWith(this.#list.element);
    });
    this.#empty = emptyState(actions.ask);
    const content = el(
      'div',
      { class: 'column' },
      this.#empty,
      this.#problem,
      this.#loading,
      this.#earlier,
      this.#messages,
      this.#broken,
      this.#elsewhere,
    );
    const scroller = el(
      'section',
      { class: 'scroller', tabindex: '0', 'aria-label': 'Conversation' },
      content,
    );
    this.element = el('div', { class: 'pane' }, scroller, this.#latest);
    this.#scroller = scroller;
    this.#follow = new ScrollFollow(scroller, content, {
      change: (following) => set(this.#latest, 'hidden', following),
      hasEnd: () => this.#empty.hidden,
    });
    this.#latest.addEventListener('click', () => this.#follow.follow({ smooth: true }));
    this.#earlier.addEventListener('click', () => actions.earlier());
    this.#elsewhere.append(el('button', { type: 'button', on: { click: actions.showElsewhere } }, 'Show it'));
    this.#problem.append(
      el('h1'),
      el('button', { type: 'button', on: { click: actions.startNew } }, 'New conversation'),
    );
  }

  update(conversation) {
    const { entries, phase, problem, earlier, threadId, elsewhere } = conversation;
    const isEmpty = entries.length === 0 && phase !== 'loading' && threadId === undefined;
    if (isEmpty && this.#empty.hidden) this.#scroller.scrollTop = 0;
    set(this.#empty, 'hidden', !isEmpty);
    set(this.#loading, 'hidden', phase !== 'loading');
    set(this.#problem, 'hidden', !problem);
    this.#problem.firstElementChild.textContent = problem?.message ?? '';
    set(this.#earlier, 'hidden', !earlier);
    set(this.#elsewhere, 'hidden', !elsewhere);
    if (this.#list) this.#list.update(entries, phase !== 'idle' || elsewhere !== undefined);
    else void this.#load(conversation);
  }

  async #load(conversation) {
    try {
      await this.#loadList();
      this.update(conversation);
    } catch (error) {
      // Without messages, there is nothing that it could show.
      say(this.#broken.firstElementChild, error.message);
      set(this.#broken, 'hidden', conversation.entries.length === 0);
    }
  }

  /** Focuses the picker of a run's turn, or the conversation if the turn is further up. */
  focusVersion(runId, step) {
    if (!this.#list?.focusVersion(runId, step)) this.#scroller.focus({ preventScroll: true });
  }

  /** Opens the editor of a run's message. Returns false if that is not shown. */
  edit(runId) {
    return this.#list?.edit(runId) ?? false;
  }

  /** Shows the end and stays there. */
  toEnd() {
    this.#follow.follow();
  }

  /** Lets `change` put other messages below what is being read. */
  keepingTop(change) {
    this.#follow.keepingTop(change);
  }

  /** Lets `change` add messages above without moving what is being read. */
  keepingPlace(change) {
    this.#follow.keepingPlace(change);
  }
}

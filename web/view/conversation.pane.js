import { el, say, set } from '../dom/el.js';
import { icon } from '../dom/icons.js';
import { lazily } from '../dom/lazily.js';
import { ScrollFollow } from '../dom/scroll-follow.js';
import { EmptyState } from './empty.state.js';

/** Time after which the words of a message are looked for among those that are drawn by then. */
const DRAWING_MS = 5_000;
/** Time for which a message is marked that was looked for. */
const FOUND_MS = 2_500;

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
  #start;
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
    this.#start = new EmptyState(actions.ask);
    this.#empty = this.#start.element;
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

  greet(greeting) {
    this.#start.greet(greeting);
  }

  /** Shows the agent that a new conversation begins with. */
  showAgent(agent) {
    this.#start.showAgent(agent);
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

  /**
   * Shows a message and marks it for a moment.
   *
   * @param place where in it a search has found its words, as in the API: `in`, `text`, `marks`. Default: the whole message
   * @param signal aborted when the person goes elsewhere
   */
  async reveal(conversation, { runId, place, signal }) {
    await this.#loadList();
    if (signal.aborted) return;
    this.update(conversation);
    const message = this.#list.find(runId, place?.in === 'question' ? 'user' : 'assistant');
    if (!message) return;
    this.#follow.goTo(message);
    message.tabIndex = -1;
    message.focus({ preventScroll: true });
    // A long answer is drawn over many frames.
    if (place) await drawn(message, signal);
    if (signal.aborted) return;
    const block = findBlock(message, place);
    if (block) this.#follow.goTo(block);
    flash(block ?? message);
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

/** Resolves once all words of a message are drawn, or after a while. */
async function drawn(message, signal) {
  const { promise, resolve } = Promise.withResolvers();
  const stop = () => resolve();
  const look = () => message.querySelector('[data-writing]') ?? stop();
  const observer = new MutationObserver(look);
  observer.observe(message, { subtree: true, childList: true, attributeFilter: ['data-writing'] });
  const timer = setTimeout(stop, DRAWING_MS);
  signal.addEventListener('abort', stop, { once: true });
  look();
  await promise;
  observer.disconnect();
  clearTimeout(timer);
}

/** Returns the part of a message that has most of the words which a search has found. Undefined: it has none of them. */
function findBlock(message, { text, marks } = { text: '', marks: [] }) {
  const words = marks.map(({ start, end }) => text.slice(start, end).toLowerCase());
  let most = 0;
  let best;
  for (const block of message.querySelectorAll('.block')) {
    const content = block.textContent.toLowerCase();
    const count = words.filter((word) => content.includes(word)).length;
    if (count <= most) continue;
    most = count;
    best = block;
  }
  return best;
}

function flash(element) {
  set(element, 'data-found', true);
  setTimeout(() => set(element, 'data-found', false), FOUND_MS);
}

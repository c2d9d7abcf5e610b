import { getText } from '../../client/index.js';
import { closed } from '../chat/sentences.js';
import { copyButton } from '../dom/copy.button.js';
import { el, say, set } from '../dom/el.js';
import { duration, fullTime, tokens, words } from '../dom/format.js';
import { icon } from '../dom/icons.js';
import { PartList } from './part.list.js';
import { StatePanel } from './state.panel.js';

/** A person's message. */
export class UserMessageView {
  element;

  constructor({ text, createdAt }) {
    this.element = el(
      'article',
      {
        class: 'message user',
        'data-testid': 'message',
        'data-role': 'user',
        'aria-label': 'You',
        title: fullTime(createdAt),
      },
      el('p', {}, text),
    );
  }

  update() {}

  remove() {
    this.element.remove();
  }
}

/** An agent's answer: its parts, its outcome, and the actions that follow it. */
export class AssistantMessageView {
  #actions;
  #entry;
  #parts = new PartList({
    answer: (inputId, answer) => this.#actions.answer(this.#entry.key, inputId, answer),
  });
  #state = new StatePanel();
  #waiting = el('p', { class: 'waiting' }, el('span', { class: 'wave', 'aria-hidden': 'true' }), el('span'));
  #notice = el('div', { class: 'notice', hidden: true });
  #print = el('span', { class: 'print' });
  #copy = copyButton('Copy answer', () => getText(this.#entry.view));
  #footer = el('footer', { class: 'message-foot', hidden: true }, this.#print, this.#copy);
  element = el(
    'article',
    { class: 'message assistant', 'data-testid': 'message', 'data-role': 'assistant' },
    this.#parts.element,
    this.#state.element,
    this.#waiting,
    this.#notice,
    this.#footer,
  );

  /** @param actions `retry(key)`, `reconnect(key)`, `answer(key, inputId, answer)` */
  constructor(_entry, actions) {
    this.#actions = actions;
  }

  update(entry, { last }) {
    if (this.#entry === entry && this.#last === last) return;
    const followed = entry.connection !== undefined && this.#entry !== undefined;
    this.#entry = entry;
    this.#last = last;
    const { view } = entry;
    const ended = view.status !== 'pending' && view.status !== 'running';
    set(this.element, 'data-status', view.status);
    set(this.element, 'data-answerable', last && view.status === 'awaiting-input');
    set(this.element, 'aria-busy', String(!ended && !entry.problem));
    set(this.element, 'aria-label', view.agent ? `Answer from ${words(view.agent)}` : 'Answer');
    this.#parts.update(view.parts, { flowing: followed });
    this.#state.update(view);
    this.#showWaiting(view, ended || entry.problem !== undefined);
    this.#showNotice(entry, last);
    this.#showFooter(view, ended);
  }

  remove() {
    this.#parts.remove();
    this.element.remove();
  }

  #last;

  /** Something always moves while the agent works: words, a tool, or this line. */
  #showWaiting(view, over) {
    const latest = view.parts.at(-1);
    const moving = latest?.open === true || (latest?.kind === 'tool' && !latest.outcome);
    set(this.#waiting, 'hidden', over || moving);
    say(this.#waiting.lastElementChild, view.status === 'pending' ? 'Starting…' : 'Thinking…');
  }

  #showNotice(entry, last) {
    const notice = findNotice(entry, last);
    set(this.#notice, 'hidden', !notice);
    if (!notice) return;
    set(this.#notice, 'data-kind', notice.kind);
    const { retry, reconnect } = this.#actions;
    const again = el(
      'button',
      { type: 'button', 'data-testid': 'retry', on: { click: () => retry(entry.key) } },
      icon('retry'),
      'Try again',
    );
    const back = el(
      'button',
      { type: 'button', on: { click: () => reconnect(entry.key) } },
      icon('retry'),
      'Reconnect',
    );
    this.#notice.replaceChildren(
      el('span', {}, notice.text),
      notice.remedy === 'retry' && last && entry.question ? again : '',
      notice.remedy === 'reconnect' ? back : '',
    );
  }

  #showFooter(view, ended) {
    const text = getText(view);
    set(this.#footer, 'hidden', !ended);
    set(this.#copy, 'hidden', text === '');
    const { agent, durationMs, usage } = view;
    const facts = [
      agent && words(agent),
      durationMs !== undefined && duration(durationMs),
      usage && usage.totalTokens > 0 && tokens(usage.totalTokens),
    ];
    say(this.#print, facts.filter(Boolean).join(' · '));
    set(this.#print, 'title', usage && `${tokens(usage.inputTokens)} in, ${tokens(usage.outputTokens)} out`);
  }
}

function findNotice({ view, problem }, last) {
  if (problem) return { kind: 'problem', text: problem.message, remedy: problem.remedy };
  switch (view.status) {
    case 'failed': {
      const why = closed(view.error?.message ?? 'The answer failed');
      return {
        kind: 'problem',
        // Most messages name the remedy themselves.
        text: view.error?.retryable && !/\bagain\b/.test(why) ? `${why} Asking again may help.` : why,
        remedy: 'retry',
      };
    }
    case 'cancelled':
      return { kind: 'stopped', text: 'Stopped.', remedy: 'retry' };
    case 'awaiting-input':
      return last ? { kind: 'waits', text: 'The agent continues when you have decided.' } : undefined;
    default:
      return view.finishReason && { kind: 'stopped', text: LESS[view.finishReason], remedy: 'retry' };
  }
}

/** Reasons why an answer is incomplete. */
const LESS = {
  length: "The answer was cut off: it reached the model's length limit.",
  'content-filter': "The model provider's filter held the answer back.",
  refusal: 'The model refused to answer.',
  empty: 'The model returned an empty answer.',
};

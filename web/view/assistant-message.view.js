import { closed } from '../chat/sentences.js';
import { copyButton } from '../dom/copy.button.js';
import { el, say, set } from '../dom/el.js';
import { duration, tokens, words } from '../dom/format.js';
import { icon } from '../dom/icons.js';
import { FeedbackBar } from './feedback.bar.js';
import { Notice } from './notice.js';
import { PartList } from './part.list.js';
import { StatePanel } from './state.panel.js';
import { VersionPicker } from './version.picker.js';

/** An agent's answer: its parts, its outcome, and the actions that follow it. */
export class AssistantMessageView {
  #actions;
  #entry;
  #parts = new PartList({
    answer: (inputId, answer) => this.#actions.answer(this.#entry.key, inputId, answer),
    readForm: (inputId) => this.#actions.readEdit(this.#toFormPlace(inputId)),
    writeForm: (inputId, text) => this.#actions.writeEdit(this.#toFormPlace(inputId), text),
    fileUrl: (fileId) => this.#actions.fileUrl(fileId),
  });
  #state = new StatePanel();
  #waiting = el('p', { class: 'waiting' }, el('span', { class: 'wave', 'aria-hidden': 'true' }), el('span'));
  #notice = new Notice({
    retry: () => this.#actions.retry(this.#entry.key),
    reconnect: () => this.#actions.reconnect(this.#entry.key),
    edit: () => this.#actions.edit(this.#entry.key),
  });
  #print = el('span', { class: 'print' });
  #copy = copyButton(
    'Copy answer',
    () => getTexts(this.#entry.view).join('\n\n'),
    () => this.#parts.toHtml(),
  );
  #again = el(
    'button',
    {
      type: 'button',
      class: 'quiet',
      'aria-label': 'Answer again',
      title: 'Answer again',
      'data-testid': 'again',
      on: { click: () => this.#actions.retry(this.#entry.key) },
    },
    icon('retry'),
  );
  #picker = new VersionPicker((runId, step) => this.#actions.showVersion(runId, step));
  #inspect = el(
    'a',
    { class: 'quiet-link', 'data-testid': 'inspect', on: { click: (event) => this.#openInspector(event) } },
    'Inspect',
  );
  #feedback;
  #footer = el(
    'footer',
    { class: 'message-foot', hidden: true },
    this.#picker.element,
    this.#print,
    this.#copy,
    this.#again,
    this.#inspect,
  );
  element = el(
    'article',
    { class: 'message assistant', 'data-testid': 'message', 'data-role': 'assistant' },
    this.#parts.element,
    this.#state.element,
    this.#waiting,
    this.#notice.element,
    this.#footer,
  );

  /** @param actions `retry(key)`, `rate(runId, feedback)`, `readEdit(place)`, `writeEdit(place, text)`, `reconnect(key)`, `edit(key)`, `answer(key, inputId, answer)`, `fileUrl(fileId)`, `inspect(runId, opener)`, `showVersion(runId, step)` */
  constructor(_entry, actions) {
    this.#actions = actions;
    this.#feedback = new FeedbackBar(actions);
    this.#again.after(this.#feedback.element);
    this.element.append(this.#feedback.below);
  }

  update(entry, { last, busy }) {
    this.#again.disabled = busy;
    if (this.#entry === entry && this.#last === last) return;
    const followed = entry.connection !== undefined && this.#entry !== undefined;
    this.#entry = entry;
    this.#last = last;
    const { view } = entry;
    const ended = view.status !== 'pending' && view.status !== 'running';
    set(this.element, 'data-status', view.status);
    set(this.element, 'data-connection', entry.connection?.state);
    set(this.element, 'data-answerable', isAnswerable(entry, last));
    set(this.element, 'aria-busy', String(!ended && !entry.problem));
    set(this.element, 'aria-label', view.agent ? `Answer from ${words(view.agent)}` : 'Answer');
    this.#parts.update(view.parts, { flowing: followed });
    this.#state.update(view);
    this.#showWaiting(view, ended || entry.problem !== undefined);
    const notice = findNotice(entry, last);
    this.#notice.update(notice);
    this.#picker.update(entry);
    // One button is enough.
    const hasRetry = notice?.remedies.includes('retry');
    const isAgain = entry.runId && entry.question && ended && view.status !== 'awaiting-input' && !hasRetry;
    set(this.#again, 'hidden', !isAgain);
    this.#showFooter(view, ended);
    set(this.#feedback.element, 'hidden', !entry.runId || !ended || view.status === 'awaiting-input');
    this.#feedback.update(entry);
  }

  focusVersion(step) {
    this.#picker.focus(step);
  }

  remove() {
    this.#notice.remove();
    this.#parts.remove();
    this.element.remove();
  }

  #last;

  #toFormPlace(inputId) {
    return `${this.#entry.view.runId}/inputs/${inputId}`;
  }

  /** Something always moves while the agent works: words, a tool, or this line. */
  #showWaiting(view, over) {
    const moving = view.parts.some(
      ({ kind, open, outcome }) => open === true || (kind === 'tool' && !outcome),
    );
    set(this.#waiting, 'hidden', over || moving);
    say(this.#waiting.lastElementChild, view.status === 'pending' ? 'Starting…' : 'Thinking…');
  }

  /** In a new tab, if the person asks the browser for that. */
  #openInspector(event) {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    this.#actions.inspect(this.#entry.view.runId, this.#inspect);
  }

  #showFooter(view, ended) {
    const text = getTexts(view).join('');
    set(this.#footer, 'hidden', !ended && !view.runId);
    set(this.#copy, 'hidden', !ended || text === '');
    set(this.#inspect, 'hidden', !view.runId);
    set(this.#inspect, 'href', view.runId && `runs/${encodeURIComponent(view.runId)}`);
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

/** True if it waits for decisions, and no later message has closed them. */
function isAnswerable(entry, last) {
  return last && !entry.closed && entry.view.status === 'awaiting-input';
}

function findNotice(entry, last) {
  const { view, problem, runId, question } = entry;
  const again = last && question ? ['retry'] : [];
  if (problem) {
    const { message: text, remedies, retryAt } = problem;
    const offered = remedies.filter((remedy) => remedy === 'reconnect' || again.length > 0);
    return { kind: 'problem', text, remedies: offered, retryAt, runId };
  }
  switch (view.status) {
    case 'failed': {
      const why = closed(view.error?.message ?? 'The answer failed');
      // Most messages name the remedy themselves.
      const text = view.error?.retryable && !/\bagain\b/.test(why) ? `${why} Asking again may help.` : why;
      return { kind: 'problem', text, remedies: again, runId: view.runId };
    }
    case 'cancelled':
      return { kind: 'stopped', text: 'Stopped.', remedies: again };
    case 'awaiting-input':
      return isAnswerable(entry, last)
        ? { kind: 'waits', text: 'The agent continues when you have decided.', remedies: [] }
        : undefined;
    default:
      return view.finishReason && { kind: 'stopped', text: LESS[view.finishReason], remedies: again };
  }
}

/** Returns the texts of an answer, without those of agents inside its tools. */
function getTexts({ parts }) {
  return parts.flatMap(({ kind, text, subagent }) =>
    kind === 'text' && subagent?.toolCallId === undefined && text.trim() !== '' ? [text] : [],
  );
}

/** Reasons why an answer is incomplete. */
const LESS = {
  length: "The answer was cut off: it reached the model's length limit.",
  'content-filter': "The model provider's filter held the answer back.",
  refusal: 'The model refused to answer.',
  empty: 'The model returned an empty answer.',
};

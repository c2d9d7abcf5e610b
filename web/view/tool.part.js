import { everyTick, serverNow } from '../chat/clock.js';
import { plainJson, withCodes } from '../chat/hidden-characters.js';
import { plainLabel, toolOutcome } from '../chat/sentences.js';
import { el, say, set } from '../dom/el.js';
import { duration, elapsed } from '../dom/format.js';
import { icon } from '../dom/icons.js';

const ICONS = {
  ok: 'check',
  error: 'cross',
  'invalid-input': 'cross',
  'unknown-tool': 'question',
  denied: 'hand',
  timeout: 'clock',
  cancelled: 'minus',
  'awaiting-input': 'hand',
};

let panels = 0;

/** One line per tool call: what it does, how far it is, how long it takes and how it ended; what it may show is behind it. */
export class ToolPartView {
  #mark = el('span', { class: 'tool-mark' });
  #label = el('span', { class: 'tool-label', dir: 'auto' });
  #message = el('span', { class: 'tool-message', dir: 'auto' });
  #outcome = el('span', { class: 'tool-outcome', dir: 'auto' });
  #time = el('span', { class: 'tool-time' });
  #bar = el('progress', { max: '1', 'aria-label': 'Progress', hidden: true });
  #panel = el('div', { class: 'tool-panel', id: `tool-panel-${++panels}`, hidden: true });
  #toggle = el(
    'button',
    {
      type: 'button',
      class: 'quiet tool-toggle',
      'aria-expanded': 'false',
      'aria-controls': this.#panel.id,
      hidden: true,
    },
    icon('chevron'),
  );
  element = el(
    'div',
    { class: 'tool node', 'data-testid': 'tool' },
    el(
      'div',
      { class: 'tool-line' },
      this.#mark,
      el('span', { class: 'tool-words' }, this.#label, this.#message, this.#outcome),
      this.#time,
      this.#toggle,
    ),
    this.#bar,
    this.#panel,
  );
  #part;
  #shownOutcome;
  #startedAt;
  #stopTicking = () => {};

  constructor() {
    this.#toggle.addEventListener('click', () => this.#fold(this.#panel.hidden));
    // The whole line is a large target for the pointer; the button is the control.
    this.element.firstElementChild.addEventListener('click', ({ target }) => {
      if (!this.#toggle.hidden && !this.#toggle.contains(target) && getSelection()?.isCollapsed)
        this.#toggle.click();
    });
  }

  update(part) {
    if (!this.#part) this.#begin(part);
    this.#part = part;
    const { label, toolName, outcome, progress, error } = part;
    set(this.element, 'data-tool', toolName);
    set(this.element, 'data-outcome', outcome ?? 'running');
    say(this.#label, withCodes(outcome ? plainLabel(label) : label));
    say(this.#message, outcome ? '' : withCodes(progress?.message ?? ''));
    say(this.#outcome, outcome && outcome !== 'ok' ? (error?.message ?? toolOutcome(outcome)) : '');
    set(this.#bar, 'hidden', outcome !== undefined || progress?.fraction === undefined);
    if (progress?.fraction !== undefined) this.#bar.value = progress.fraction;
    this.#showMark(outcome);
    if (outcome) this.#stopTicking();
    this.#tick();
    const hasMore = part.input !== undefined || part.output !== undefined || Boolean(error && outcome);
    set(this.#toggle, 'hidden', !hasMore);
    set(this.element, 'data-foldable', hasMore);
    set(this.#toggle, 'aria-label', `Details: ${plainLabel(label)}`);
    if (!this.#panel.hidden) this.#fillPanel();
  }

  remove() {
    this.#stopTicking();
    this.element.remove();
  }

  #begin(part) {
    this.#startedAt = part.startedAt;
    if (!part.outcome) this.#stopTicking = everyTick(() => this.#tick());
  }

  #tick() {
    const { outcome, durationMs } = this.#part;
    say(
      this.#time,
      outcome ? duration(durationMs ?? 0) : elapsed(Math.max(0, serverNow() - this.#startedAt)),
    );
  }

  #showMark(outcome = 'running') {
    if (this.#shownOutcome === outcome) return;
    this.#shownOutcome = outcome;
    const sign =
      outcome === 'running'
        ? el('span', { class: 'spinner', 'aria-hidden': 'true' })
        : icon(ICONS[outcome] ?? 'question');
    const spoken = outcome === 'running' ? 'running' : toolOutcome(outcome);
    this.#mark.replaceChildren(sign, el('span', { class: 'unseen' }, `${spoken}:`));
  }

  #fold(open) {
    set(this.#toggle, 'aria-expanded', String(open));
    set(this.#panel, 'hidden', !open);
    if (open) this.#fillPanel();
  }

  #fillPanel() {
    const { input, output, error } = this.#part;
    this.#panel.replaceChildren(
      ...section('Input', input),
      ...section('Output', output),
      ...section('Error', error && `${error.message} (${error.code})`),
    );
  }
}

/** A heading and a value, or nothing. */
export function section(title, value) {
  if (value === undefined) return [];
  const text = typeof value === 'string' ? withCodes(value) : plainJson(value);
  return [
    el('p', { class: 'section-title' }, title),
    el('pre', { tabindex: '0', 'aria-label': title }, text),
  ];
}

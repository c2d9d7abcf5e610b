import { copyButton } from '../dom/copy.button.js';
import { el, say, set } from '../dom/el.js';
import { icon } from '../dom/icons.js';
import { everyTick } from '../chat/clock.js';

const LABELS = { retry: 'Try again', reconnect: 'Reconnect', edit: 'Edit message' };

/** Says what happened to an answer, offers the remedies, and names the run for a report. */
export class Notice {
  element = el('div', { class: 'notice', hidden: true });
  #actions;
  #shown = '';
  #stopTicking = () => {};

  /** @param actions by remedy: `retry()`, `reconnect()`, `edit()` */
  constructor(actions) {
    this.#actions = actions;
  }

  /** @param notice `{ kind, text, remedies, retryAt?, runId? }`; undefined if there is nothing to say */
  update(notice) {
    const shown = JSON.stringify(notice) ?? '';
    // Drawn again, its buttons would lose the focus.
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#stopTicking();
    set(this.element, 'hidden', !notice);
    if (!notice) return;
    const { kind, text, remedies, retryAt, runId } = notice;
    set(this.element, 'data-kind', kind);
    const buttons = remedies.map((remedy) => this.#button(remedy));
    this.element.replaceChildren(
      el('span', { dir: 'auto' }, text),
      ...buttons,
      ...(runId ? quote(runId) : []),
    );
    const retry = buttons[remedies.indexOf('retry')];
    if (retryAt > Date.now() && retry) this.#countDown(retry, retryAt);
  }

  remove() {
    this.#stopTicking();
  }

  #button(remedy) {
    return el(
      'button',
      { type: 'button', 'data-testid': remedy, on: { click: () => this.#actions[remedy]() } },
      remedy === 'edit' ? null : icon('retry'),
      el('span', {}, LABELS[remedy]),
    );
  }

  #countDown(button, at) {
    const tick = () => {
      const seconds = Math.ceil((at - Date.now()) / 1000);
      button.disabled = seconds > 0;
      say(button.lastElementChild, seconds > 0 ? `${LABELS.retry} in ${seconds} s` : LABELS.retry);
      if (seconds <= 0) this.#stopTicking();
    };
    this.#stopTicking = everyTick(tick);
    tick();
  }
}

function quote(runId) {
  const id = el('code', {}, runId);
  return [
    el(
      'span',
      { class: 'notice-run' },
      'Run ',
      id,
      copyButton('Copy run id', () => runId),
    ),
  ];
}

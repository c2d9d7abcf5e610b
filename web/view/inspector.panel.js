import { el, set } from '../dom/el.js';
import { icon } from '../dom/icons.js';

/** The inspector of a run, beside the conversation. Its code is loaded when it is opened for the first time. */
export class InspectorPanel {
  #inspector;
  #onClose;
  #opener;
  #page = el('a', { class: 'quiet-link' }, 'Open as a page');
  #body = el('div', { class: 'panel-body' });
  #close = el(
    'button',
    {
      type: 'button',
      class: 'quiet',
      'aria-label': 'Close the inspector',
      on: { click: () => this.close() },
    },
    icon('close'),
  );
  element = el(
    'aside',
    { class: 'panel', hidden: true, 'aria-label': 'Run inspector', 'data-testid': 'panel' },
    el('div', { class: 'panel-bar' }, el('h2', {}, 'What happened'), this.#page, this.#close),
    this.#body,
  );

  /** @param onClose called when it was closed here */
  constructor(onClose) {
    this.#onClose = onClose;
    this.element.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      this.close();
    });
  }

  async open(runId, { opener } = {}) {
    this.#opener = opener;
    await import('../../client/inspect/index.js');
    this.#inspector ??= el('run-inspector', { src: 'api/chat' });
    this.#body.replaceChildren(this.#inspector);
    set(this.#inspector, 'run', runId);
    set(this.#page, 'href', `runs/${encodeURIComponent(runId)}`);
    set(this.element, 'hidden', false);
    if (opener) this.#close.focus();
  }

  close() {
    if (this.element.hidden) return;
    set(this.element, 'hidden', true);
    // Out of the document it reads no log.
    this.#inspector?.remove();
    this.#opener?.focus();
    this.#onClose();
  }
}

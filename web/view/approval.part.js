import { closed, sentence } from '../chat/sentences.js';
import { el, say, set } from '../dom/el.js';
import { fullTime } from '../dom/format.js';
import { icon } from '../dom/icons.js';
import { section } from './tool.part.js';

const DECISIONS = { approve: 'Approved', edit: 'Approved with changes', deny: 'Denied' };

/** A tool call that waits for a person, with what they can say to it; and then what they said. */
export class ApprovalPartView {
  #answer;
  #part;
  #line = el('div', { class: 'approval-line' });
  #shown = el('div');
  #form = el('form', { class: 'approval-form' });
  #problem = el('p', { class: 'approval-problem', role: 'alert', hidden: true });
  element = el(
    'div',
    { class: 'approval node', 'data-testid': 'approval' },
    this.#line,
    this.#shown,
    this.#form,
    this.#problem,
  );

  /** @param actions `answer(approvalId, answer)`, which returns a promise */
  constructor({ answer }) {
    this.#answer = answer;
    this.#form.addEventListener('submit', (event) => event.preventDefault());
  }

  update(part) {
    this.#part = part;
    const { label, input, decision, by, expiresAt } = part;
    set(this.element, 'data-decision', decision ?? 'open');
    const waits = expiresAt
      ? `Waits for your decision until ${fullTime(expiresAt)}`
      : 'Waits for your decision';
    this.#line.replaceChildren(
      icon('hand'),
      el('strong', {}, closed(label)),
      // Which of the two counts, the message says: a later one closes what waits.
      ...(decision
        ? [el('span', {}, `${DECISIONS[decision]} by ${by}`)]
        : [el('span', { class: 'if-open' }, waits), el('span', { class: 'if-closed' }, 'Nobody decided')]),
    );
    this.#shown.replaceChildren(...section('Asks to use', input));
    this.#form.replaceChildren();
    this.#tell();
    if (!decision) this.#offer();
  }

  remove() {
    this.element.remove();
  }

  #offer() {
    this.#form.replaceChildren(
      this.#button('Approve', () => this.#say({ decision: 'approve' }), { class: 'primary' }),
      this.#button('Change…', () => this.#offerEdit()),
      this.#button('Deny…', () => this.#offerDenial()),
    );
  }

  #offerEdit() {
    const text = JSON.stringify(this.#part.input, null, 2);
    const field = el('textarea', {
      rows: String(Math.min(12, text.split('\n').length + 1)),
      'aria-label': 'Arguments, as JSON',
      spellcheck: 'false',
    });
    field.value = text;
    const send = () => {
      const input = read(field.value);
      if (input) void this.#say({ decision: 'edit', input });
      else this.#tell('That is no JSON object.');
    };
    this.#form.replaceChildren(
      field,
      this.#button('Approve with changes', send, { class: 'primary' }),
      this.#button('Back', () => this.#offer()),
    );
    field.focus();
  }

  #offerDenial() {
    const field = el('input', {
      type: 'text',
      maxlength: '1000',
      placeholder: 'Why not? The agent reads it.',
      'aria-label': 'Why not',
    });
    const send = () =>
      this.#say({ decision: 'deny', ...(field.value.trim() && { reason: field.value.trim() }) });
    this.#form.replaceChildren(
      field,
      this.#button('Deny', send, { class: 'primary' }),
      this.#button('Back', () => this.#offer()),
    );
    field.addEventListener('keydown', ({ key, isComposing }) => key === 'Enter' && !isComposing && send());
    field.focus();
  }

  #button(text, click, attributes = {}) {
    return el('button', { type: 'button', ...attributes, on: { click } }, text);
  }

  async #say(answer) {
    this.#tell();
    const controls = [...this.#form.elements];
    for (const control of controls) control.disabled = true;
    try {
      await this.#answer(this.#part.approvalId, answer);
    } catch (error) {
      for (const control of controls) control.disabled = false;
      this.#tell(sentence(error));
    }
  }

  #tell(problem = '') {
    set(this.#problem, 'hidden', !problem);
    say(this.#problem, problem);
  }
}

/** The JSON object that somebody has written, if it is one. */
function read(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

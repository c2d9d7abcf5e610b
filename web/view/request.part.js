import { sentence } from '../chat/sentences.js';
import { el, say, set } from '../dom/el.js';
import { fullTime } from '../dom/format.js';
import { icon } from '../dom/icons.js';

/** Something that the run waits for, with what people can say to it; and then what they said. */
export class RequestPartView {
  #answer;
  #line = el('div', { class: 'approval-line' });
  #problem = el('p', { class: 'approval-problem', role: 'alert', hidden: true });
  part;
  why = el('p', { class: 'approval-why', hidden: true });
  shown = el('div');
  form = el('form', { class: 'approval-form' });
  element;

  /** @param actions `answer(inputId, answer)`, which returns a promise */
  constructor({ answer }, testId) {
    this.#answer = answer;
    this.element = el(
      'div',
      { class: 'approval node', 'data-testid': testId },
      this.#line,
      this.why,
      this.shown,
      this.form,
      this.#problem,
    );
    this.form.addEventListener('submit', (event) => event.preventDefault());
  }

  update(part) {
    this.part = part;
    const { decision, by, expiresAt } = part;
    set(this.element, 'data-decision', decision ?? 'open');
    const { title, waits, closed, decided } = this.describe(part);
    const until = expiresAt ? `${waits} · expires ${fullTime(expiresAt)}` : waits;
    this.#line.replaceChildren(
      icon('hand'),
      el('strong', {}, title),
      // Which of the two counts, the message says: a later one closes what waits.
      ...(decision
        ? [el('span', {}, `${decided[decision]} by ${by}`)]
        : [el('span', { class: 'if-open' }, until), el('span', { class: 'if-closed' }, closed)]),
    );
    this.show(part);
    this.form.replaceChildren();
    this.tell();
    if (!decision) this.offer();
  }

  remove() {
    this.element.remove();
  }

  button(text, click, attributes = {}) {
    return el('button', { type: 'button', ...attributes, on: { click } }, text);
  }

  async say(answer) {
    this.tell();
    const controls = [...this.form.elements];
    for (const control of controls) control.disabled = true;
    try {
      await this.#answer(this.part.inputId, answer);
    } catch (error) {
      for (const control of controls) control.disabled = false;
      this.tell(sentence(error));
    }
  }

  tell(problem = '') {
    set(this.#problem, 'hidden', !problem);
    say(this.#problem, problem);
  }
}

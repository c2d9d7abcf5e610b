import { withCodes } from '../chat/hidden-characters.js';
import { sentence } from '../chat/sentences.js';
import { el, say, set } from '../dom/el.js';
import { fullTime } from '../dom/format.js';
import { icon } from '../dom/icons.js';

/** Something that the run waits for, with what people can say to it; and then what they said. */
export class RequestPartView {
  #actions;
  #line = el('div', { class: 'approval-line', tabindex: '-1' });
  #denial = el('p', { class: 'approval-why', hidden: true });
  /** True if the focus was here when the answer was sent. */
  #hadFocus = false;
  #problem = el('p', { class: 'approval-problem', role: 'alert', hidden: true });
  part;
  why = el('p', { class: 'approval-why', hidden: true });
  shown = el('div');
  form = el('form', { class: 'approval-form' });
  element;

  /** @param actions `answer(inputId, answer)`, which returns a promise; `readForm(inputId)`, `writeForm(inputId, text)` */
  constructor(actions, testId) {
    this.#actions = actions;
    this.element = el(
      'div',
      { class: 'approval node', 'data-testid': testId },
      this.#line,
      this.why,
      this.shown,
      this.#denial,
      this.form,
      this.#problem,
    );
    this.form.addEventListener('submit', (event) => event.preventDefault());
    this.form.addEventListener('input', () => this.save());
  }

  update(part) {
    this.part = part;
    const { decision, by, expiresAt, denial } = part;
    set(this.element, 'data-decision', decision ?? 'open');
    const { title, waits, closed, decided } = this.describe(part);
    const until = expiresAt ? `${waits} · expires ${fullTime(expiresAt)}` : waits;
    this.#line.replaceChildren(
      icon('hand'),
      el('strong', { dir: 'auto' }, title),
      // Which of the two counts, the message says: a later one closes what waits.
      ...(decision
        ? [el('span', {}, `${decided[decision]} by ${by}`)]
        : [el('span', { class: 'if-open' }, until), el('span', { class: 'if-closed' }, closed)]),
    );
    set(this.#denial, 'hidden', !denial);
    say(this.#denial, denial ? `“${withCodes(denial)}”` : '');
    this.show(part);
    this.form.replaceChildren();
    this.tell();
    if (!decision) return this.#restore();
    this.forget();
    if (this.#hadFocus && document.activeElement === document.body) this.#passFocus();
  }

  /** Shows what was filled in and not sent, in the form in which it was. */
  #restore() {
    const draft = this.#actions.readForm(this.part.inputId);
    const { shown, values } = draft ? JSON.parse(draft) : {};
    this.offer(shown);
    if (values) fillIn(this.form, values);
  }

  /** Shows a form. What is filled in is kept by the `name` of its control. */
  showForm(name, ...elements) {
    this.form.dataset.shown = name;
    this.form.replaceChildren(...elements);
  }

  /** Keeps what is filled in. */
  save() {
    const { shown } = this.form.dataset;
    const draft = { shown, values: readValues(this.form) };
    this.#actions.writeForm(this.part.inputId, JSON.stringify(draft));
  }

  forget() {
    this.#actions.writeForm(this.part.inputId, '');
  }

  /** Moves the focus to the next open request. After the last one, it stays at this request. */
  #passFocus() {
    this.#hadFocus = false;
    const next = document.querySelector(
      '.message[data-answerable] .approval[data-decision=open] .approval-form',
    );
    (next?.querySelector('button, input, select, textarea') ?? this.#line).focus();
  }

  remove() {
    this.element.remove();
  }

  button(text, click, attributes = {}) {
    return el('button', { type: 'button', ...attributes, on: { click } }, text);
  }

  /** @param fields the form that the answer comes from, which shows at its fields what does not fit */
  async say(answer, fields) {
    this.tell();
    const focused = this.element.contains(document.activeElement) ? document.activeElement : undefined;
    this.#hadFocus = focused !== undefined;
    const controls = [...this.form.elements];
    for (const control of controls) control.disabled = true;
    try {
      await this.#actions.answer(this.part.inputId, answer);
      this.forget();
    } catch (error) {
      for (const control of controls) control.disabled = false;
      this.tell(sentence(error));
      if (fields?.show(error.problem?.misfits ?? [])) {
        this.#hadFocus = false;
        return;
      }
      this.#hadFocus = false;
      focused?.focus();
    }
  }

  tell(problem = '') {
    set(this.#problem, 'hidden', !problem);
    say(this.#problem, problem);
  }
}

/** Returns the values of a form's controls that have a name, by name. */
function readValues(form) {
  const named = [...form.elements].filter(({ name }) => name);
  return Object.fromEntries(named.map((control) => [control.name, readValue(control)]));
}

/** Gives the controls the values that `readValues` returned. Those that have none there stay as they are. */
function fillIn(form, values) {
  for (const control of form.elements) {
    if (!control.name || !Object.hasOwn(values, control.name)) continue;
    const value = values[control.name];
    if (control.type === 'checkbox') control.checked = value === true;
    else if (control.type === 'select-multiple')
      for (const option of control.options) option.selected = value.includes(option.value);
    else control.value = value;
  }
}

function readValue({ type, checked, selectedOptions, value }) {
  if (type === 'checkbox') return checked;
  return type === 'select-multiple' ? [...selectedOptions].map((option) => option.value) : value;
}

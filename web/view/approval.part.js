import { hasHidden, plainJson, withCodes } from '../chat/hidden-characters.js';
import { plainLabel } from '../chat/sentences.js';
import { isComposing } from '../dom/keys.js';
import { el, say, set } from '../dom/el.js';
import { getFields } from '../chat/schema-fields.js';
import { RequestPartView } from './request.part.js';
import { SchemaForm } from './schema.form.js';
import { section } from './tool.part.js';

const WORDS = {
  waits: 'Needs your approval',
  closed: 'Closed by your next message',
  decided: { approve: 'Approved', edit: 'Approved with changes', deny: 'Denied' },
};

/** A tool call that waits for a person. */
export class ApprovalPartView extends RequestPartView {
  constructor(actions) {
    super(actions, 'approval');
  }

  describe({ label }) {
    return { title: withCodes(plainLabel(label)), ...WORDS };
  }

  show({ label, input, reason }) {
    set(this.why, 'hidden', !reason);
    say(this.why, reason ?? '');
    this.shown.replaceChildren(...section('Input', input), ...warning(label, input));
  }

  offer(shown) {
    if (shown === 'deny') return this.#offerDenial();
    if (shown === 'edit') return this.#offerEdit();
    if (shown === 'json') return this.#offerText(this.part.input);
    this.showForm(
      'decide',
      this.button('Approve', () => this.say({ decision: 'approve' }), { class: 'primary' }),
      this.button('Change…', () => this.#offerEdit().focus()),
      this.button('Deny…', () => this.#offerDenial().focus()),
    );
  }

  #goBack() {
    this.forget();
    this.offer();
  }

  /** By a form, unless a person could not see in it what is there. Returns what to focus. */
  #offerEdit() {
    const { schema, input } = this.part;
    const fields = schema && !hasHidden(JSON.stringify(input)) && getFields(schema, input);
    if (!fields) return this.#offerText(input);
    const form = new SchemaForm(fields, input);
    const send = () => {
      const changed = form.read();
      if (changed) void this.say({ decision: 'edit', input: changed }, form);
    };
    // With a field that is not complete, the form stays, and says so: nothing that the person has changed is lost.
    const offerJson = () => {
      const changed = form.read();
      if (!changed) return;
      this.#offerText(changed).focus();
      this.save();
    };
    this.showForm(
      'edit',
      ...form.elements,
      this.button('Approve with changes', send, { class: 'primary' }),
      this.button('Edit as JSON', () => offerJson()),
      this.button('Back', () => this.#goBack()),
    );
    return form;
  }

  #offerText(input) {
    const text = plainJson(input);
    const field = el('textarea', {
      name: 'json',
      rows: String(Math.min(12, text.split('\n').length + 1)),
      'aria-label': 'Arguments, as JSON',
      spellcheck: 'false',
    });
    field.value = text;
    const send = () => {
      const changed = read(field.value);
      if (changed) void this.say({ decision: 'edit', input: changed });
      else this.tell("That isn't a valid JSON object.");
    };
    this.showForm(
      'json',
      field,
      this.button('Approve with changes', send, { class: 'primary' }),
      this.button('Back', () => this.#goBack()),
    );
    return field;
  }

  #offerDenial() {
    const field = el('input', {
      type: 'text',
      name: 'reason',
      maxlength: '1000',
      placeholder: 'Why not? The agent reads it.',
      'aria-label': 'Why not',
    });
    const send = () =>
      this.say({ decision: 'deny', ...(field.value.trim() && { reason: field.value.trim() }) });
    this.showForm(
      'deny',
      field,
      this.button('Deny', send, { class: 'primary' }),
      this.button('Back', () => this.#goBack()),
    );
    field.addEventListener('keydown', (event) => event.key === 'Enter' && !isComposing(event) && send());
    return field;
  }
}

/** Says that there are codes in it, where there are: what a person approves must not look like something else. */
function warning(label, input) {
  if (!hasHidden(label) && !hasHidden(JSON.stringify(input ?? null))) return [];
  const words =
    'Some characters here are invisible or change the direction of text. They are shown as codes.';
  return [el('p', { class: 'approval-problem' }, words)];
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

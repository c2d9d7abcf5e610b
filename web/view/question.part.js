import { withCodes } from '../chat/hidden-characters.js';
import { getChoices, getQuestion, readAnswer, getDetails } from '../chat/questions.js';
import { getFields } from '../chat/schema-fields.js';
import { el } from '../dom/el.js';
import { RequestPartView } from './request.part.js';
import { SchemaForm } from './schema.form.js';
import { section } from './tool.part.js';

const WORDS = {
  waits: 'Needs your answer',
  closed: 'Closed by your next message',
  decided: { answer: 'Answered', deny: 'Declined' },
};

/** A question of a graph or an MCP server: answered by a form if the schema is one of a flat object; otherwise by a choice if there are some, and always by text or JSON. */
export class QuestionPartView extends RequestPartView {
  constructor(actions) {
    super(actions, 'question');
  }

  describe(part) {
    return { title: withCodes(getQuestion(part)), ...WORDS };
  }

  show(part) {
    this.shown.replaceChildren(...section('Asks with', getDetails(part)));
  }

  offer() {
    const { part } = this;
    const fields = getFields(part.schema);
    if (fields) return this.#offerForm(new SchemaForm(fields));
    const choices = getChoices(part).map(({ label, value }) =>
      this.button(withCodes(label), () => this.say({ decision: 'answer', value })),
    );
    const field = el('textarea', {
      name: 'answer',
      'data-kind': 'long',
      rows: '2',
      'aria-label': 'Your answer, as text or JSON',
      placeholder: 'Your answer, as text or JSON',
    });
    const send = () => this.say({ decision: 'answer', value: readAnswer(field.value, part) });
    const decline = () => this.say({ decision: 'deny' });
    this.showForm(
      'text',
      ...choices,
      field,
      this.button('Answer', send, { class: 'primary' }),
      ...this.#declining(decline),
    );
  }

  #offerForm(fields) {
    const send = () => {
      const value = fields.read();
      if (value) void this.say({ decision: 'answer', value }, fields);
    };
    this.showForm(
      'fields',
      ...fields.elements,
      this.button('Answer', send, { class: 'primary' }),
      ...this.#declining(() => this.say({ decision: 'deny' })),
    );
  }

  /** A graph has no word for a refusal. */
  #declining(decline) {
    return this.part.kind === 'interrupt' ? [] : [this.button('Decline', decline)];
  }
}

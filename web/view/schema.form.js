import { withCodes } from '../chat/hidden-characters.js';
import { el } from '../dom/el.js';

/** A control for each field of a schema. */
export class SchemaForm {
  #fields;
  elements;

  /** @param fields as `getFields` returns them */
  constructor(fields) {
    this.#fields = fields.map((field) => ({ field, control: createControl(field) }));
    this.elements = this.#fields.map(({ field, control }) => {
      const label = `${withCodes(field.label)}${field.required ? '' : ' (optional)'}`;
      const help = field.description && el('small', {}, withCodes(field.description));
      return el('label', { class: 'form-field' }, el('span', {}, label), control, help);
    });
  }

  /** Returns the values that were given, by name. Undefined if the browser shows what is wrong with one. */
  read() {
    if (!this.#fields.every(({ control }) => control.reportValidity())) return undefined;
    const given = this.#fields.map(({ field, control }) => [field.name, readControl(field, control)]);
    return Object.fromEntries(given.filter(([, value]) => value !== undefined));
  }
}

function createControl({ kind, required, initial, options, limits }) {
  if (kind === 'choice' || kind === 'choices') {
    const several = kind === 'choices';
    const chosen = (value) => (several ? initial?.includes?.(value) : initial === value);
    const none = el('option', { value: '' }, '');
    const offered = options.map(({ value, label }, index) =>
      el('option', { value: String(index), selected: chosen(value) }, withCodes(label)),
    );
    return el('select', { required, multiple: several }, ...(several ? [] : [none]), ...offered);
  }
  if (kind === 'checkbox') return el('input', { type: kind, checked: initial === true });
  return el('input', { type: kind, required, value: initial, ...limits });
}

function readControl({ kind, options }, control) {
  switch (kind) {
    case 'checkbox':
      return control.checked;
    case 'choice':
      return control.value === '' ? undefined : options[Number(control.value)].value;
    case 'choices':
      return [...control.selectedOptions].map(({ value }) => options[Number(value)].value);
    case 'number':
      return control.value === '' ? undefined : control.valueAsNumber;
    default:
      return control.value === '' ? undefined : control.value;
  }
}

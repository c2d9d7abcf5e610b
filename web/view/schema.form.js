import { withCodes } from '../chat/hidden-characters.js';
import { el } from '../dom/el.js';

const INCOMPLETE = Symbol('incomplete');

/** A control for each field of a schema. */
export class SchemaForm {
  #fields;
  #value;
  elements;

  /**
   * @param fields as `getFields` returns them
   * @param value the object that is changed. What no field shows of it stays
   */
  constructor(fields, value) {
    this.#fields = fields.map((field) => build(field));
    this.#value = value;
    this.elements = this.#fields.map(({ element }) => element);
  }

  /** Returns the values that were given, by name. Undefined if the browser shows what is wrong with one. */
  read() {
    const value = readAll(this.#fields, this.#value);
    return value === INCOMPLETE ? undefined : value;
  }

  focus() {
    this.elements[0].querySelector('input, select, textarea')?.focus();
  }

  /**
   * Shows what the server found wrong at its field.
   *
   * @param misfits places and words
   * @returns false if none of them has a field
   */
  show(misfits) {
    const [first] = misfits.flatMap(({ path, message }) => {
      const control = findControl(this.#fields, path);
      if (!control) return [];
      complain(control, message);
      return [control];
    });
    first?.reportValidity();
    return first !== undefined;
  }
}

/** @param path where the object is that has the field, as a JSON pointer. The name of a control is its own: `elements` alone would hide what a form has */
function build(field, path = '') {
  const place = `${path}/${field.name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  const label = `${withCodes(field.label)}${field.required || field.nullable ? '' : ' (optional)'}`;
  const help = getHelp(field);
  const described = help && el('small', {}, withCodes(help));
  if (field.kind === 'group') {
    const inner = field.fields.map((each) => build(each, place));
    const legend = el('legend', {}, withCodes(field.label));
    return {
      field,
      inner,
      element: el(
        'fieldset',
        { class: 'form-group' },
        legend,
        described,
        ...inner.map(({ element }) => element),
      ),
    };
  }
  const control = createControl(field);
  control.name = place;
  return {
    field,
    control,
    element: el('label', { class: 'form-field' }, el('span', {}, label), control, described),
  };
}

function getHelp({ kind, description }) {
  const how = { json: 'As JSON.', lines: 'One per line.' }[kind];
  return [description, how].filter(Boolean).join(' ');
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
  if (kind === 'long' || kind === 'lines' || kind === 'json') {
    const text = toText(kind, initial);
    const rows = String(Math.min(12, Math.max(2, text.split('\n').length)));
    // An empty text is one, if it was there before.
    const field = el('textarea', {
      required: required && initial !== '' && kind !== 'lines',
      rows,
      spellcheck: kind === 'json' && 'false',
      'data-kind': kind,
      ...limits,
    });
    field.value = text;
    return field;
  }
  const make = (type) =>
    el('input', { type, required: required && initial !== '', value: initial, ...limits });
  const control = make(kind);
  // A browser drops what such a control cannot show, as a day that no calendar has. The person has to see it.
  return kind === 'number' || control.value === String(initial ?? '') ? control : make('text');
}

function toText(kind, initial) {
  if (initial === undefined || (initial === null && kind !== 'json')) return '';
  if (kind === 'lines') return initial.join('\n');
  return kind === 'json' ? JSON.stringify(initial, null, 2) : String(initial);
}

/** Returns the object, or that something in it is incomplete. */
function readAll(built, before) {
  const value = typeof before === 'object' && before !== null ? { ...before } : {};
  for (const { field, control, inner } of built) {
    const read = inner ? readAll(inner, field.initial) : readControl(field, control);
    if (read === INCOMPLETE) return INCOMPLETE;
    if (read === undefined) delete value[field.name];
    else
      Object.defineProperty(value, field.name, {
        value: read,
        enumerable: true,
        configurable: true,
        writable: true,
      });
  }
  return value;
}

function readControl(field, control) {
  const read = parse(field, control);
  const problem = read instanceof Error ? read.message : '';
  if (problem) complain(control, problem);
  return control.reportValidity() && !problem ? read : INCOMPLETE;
}

/** The message of the browser goes with the next change. */
function complain(control, message) {
  control.setCustomValidity(message);
  control.addEventListener('input', () => control.setCustomValidity(''), { once: true });
}

/** Returns the value of a control; undefined if there is none, and an Error if it is none. */
function parse(field, control) {
  const { kind, options, initial, nullable, required, isAbsent, above, below, of } = field;
  if (kind === 'checkbox') return control.checked || !isAbsent ? control.checked : undefined;
  if (kind === 'choices') {
    const chosen = [...control.selectedOptions].map(({ value }) => options[Number(value)].value);
    return chosen.length === 0 && isAbsent ? undefined : chosen;
  }
  if (kind === 'lines') {
    const lines = control.value
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean);
    if (lines.length === 0) return isAbsent ? undefined : nullable ? null : [];
    const list = of === 'string' ? lines : lines.map(Number);
    const fits = of === 'string' || list.every(of === 'integer' ? Number.isInteger : Number.isFinite);
    return fits ? list : new Error('Each line has to be a number.');
  }
  if (control.value === '') {
    if (nullable) return null;
    return initial === '' && kind !== 'choice' && (required || !isAbsent) ? '' : undefined;
  }
  if (kind === 'choice') return options[Number(control.value)].value;
  if (kind === 'json') return parseJson(control.value);
  if (kind !== 'number') return control.value;
  const number = control.valueAsNumber;
  if (above !== undefined && number <= above) return new Error(`It has to be more than ${above}.`);
  if (below !== undefined && number >= below) return new Error(`It has to be less than ${below}.`);
  return number;
}

function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return new Error("That isn't valid JSON.");
  }
}

/** Finds the control at a place, or the one that holds it. */
function findControl(built, [name, ...rest]) {
  const found = built.find(({ field }) => field.name === name);
  return found?.inner ? findControl(found.inner, rest) : found?.control;
}

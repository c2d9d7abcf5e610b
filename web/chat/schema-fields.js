/** The JSON Schema types of a field, as a form shows them. */
const INPUTS = { string: 'text', number: 'number', integer: 'number', boolean: 'checkbox' };
const FORMATS = { email: 'email', uri: 'url', date: 'date' };

/** Returns the fields of a flat object schema: of text, numbers, yes or no, and choices. Undefined for any other schema. */
export function getFields(schema) {
  if (schema?.type !== 'object' || !schema.properties) return undefined;
  const required = new Set(schema.required);
  const fields = Object.entries(schema.properties).map(([name, property]) =>
    toField(name, property, required.has(name)),
  );
  return fields.length > 0 && fields.every(Boolean) ? fields : undefined;
}

function toField(name, property, required) {
  const { title, description, default: initial, type, items } = property ?? {};
  const field = { name, label: title ?? name, description, initial, required };
  const options = toOptions(property);
  if (options) return { ...field, kind: 'choice', options };
  if (type === 'array') {
    const several = toOptions(items);
    return several && { ...field, kind: 'choices', options: several };
  }
  const kind = INPUTS[type];
  if (!kind) return undefined;
  const { minimum: min, maximum: max, minLength: minlength, maxLength: maxlength, format } = property;
  const step = kind === 'number' ? { step: type === 'integer' ? 1 : 'any' } : {};
  return { ...field, kind: FORMATS[format] ?? kind, limits: { min, max, minlength, maxlength, ...step } };
}

/** A list of values, with the words to show: `enum` and its names, or constants with titles. */
function toOptions({ enum: values, enumNames, oneOf, anyOf } = {}) {
  const constants = oneOf ?? anyOf;
  if (Array.isArray(values))
    return values.map((value, index) => ({ value, label: String(enumNames?.[index] ?? value) }));
  if (!Array.isArray(constants) || !constants.every((each) => 'const' in each)) return undefined;
  return constants.map(({ const: value, title }) => ({ value, label: String(title ?? value) }));
}

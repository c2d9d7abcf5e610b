/** The JSON Schema types of a field, as a form shows them. */
const INPUTS = { string: 'text', number: 'number', integer: 'number', boolean: 'checkbox' };
const FORMATS = { email: 'email', uri: 'url', date: 'date' };
/** Text of this kind is one that its field can show; another would be lost in it. */
const FITTING = { email: /^\S*$/, url: /^\S*$/, date: /^\d{4}-\d\d-\d\d$/, text: /^[^\n\r]{0,80}$/ };

const MOST_FIELDS = 60;
const MOST_LEVELS = 3;

/**
 * Returns the fields of an object schema. What a form has no control for is a field for JSON.
 *
 * @param value the object to begin with. Default: what the schema says
 * @returns undefined for any other schema, or one that is too large for a form
 */
export function getFields(schema, value) {
  const fields = listFields(schema, value, { root: schema, level: 0, isEdit: value !== undefined });
  return fields?.length > 0 && count(fields) <= MOST_FIELDS ? fields : undefined;
}

function count(fields) {
  return fields.reduce((sum, { fields: inner }) => sum + (inner ? count(inner) : 1), 0);
}

function listFields(schema, value, place) {
  if (schema?.type !== 'object' || !isObject(schema.properties)) return undefined;
  const required = new Set(schema.required);
  return Object.entries(schema.properties).map(([name, property]) => {
    const has = isObject(value) && Object.hasOwn(value, name);
    return toField(name, property, { ...place, isRequired: required.has(name), has, value: value?.[name] });
  });
}

function toField(name, given, { isRequired, has, value, ...place }) {
  const { schema, nullable } = resolve(given, place.root);
  const { title = given?.title, description = given?.description, default: byDefault } = schema;
  const initial = has ? value : byDefault;
  const field = {
    name,
    label: String(title ?? name),
    description,
    initial,
    required: isRequired && !nullable,
    nullable: nullable && (isRequired || value === null),
    // It was left out, and is so until somebody touches it.
    isAbsent: place.isEdit && !has && !isRequired,
  };
  const options = toOptions(schema);
  if (
    options &&
    (initial === undefined || initial === null || options.some(({ value: one }) => one === initial))
  )
    return { ...field, kind: 'choice', options };
  return { ...field, ...describe(schema, field, place) };
}

/** Returns the kind of a field, and what its kind needs. */
function describe(schema, { initial, required, nullable }, place) {
  const { type } = schema;
  const isShown = initial !== undefined && initial !== null;
  if (type === 'object' && (required || isShown) && !nullable && place.level < MOST_LEVELS) {
    const fields = listFields(schema, isObject(initial) ? initial : {}, { ...place, level: place.level + 1 });
    if (fields?.length > 0) return { kind: 'group', fields };
  }
  if (type === 'array') return describeList(schema, initial, place) ?? { kind: 'json' };
  const kind = INPUTS[type];
  if (!kind || (isShown && !fitsType(type, initial))) return { kind: 'json' };
  if (kind === 'checkbox') return nullable ? { kind: 'json' } : { kind };
  if (kind === 'number') {
    const [min, above] = toBounds(schema.minimum, schema.exclusiveMinimum);
    const [max, below] = toBounds(schema.maximum, schema.exclusiveMaximum);
    const step = type === 'integer' ? 1 : 'any';
    return { kind, limits: { min, max, step }, above, below };
  }
  const { minLength: minlength, maxLength: maxlength, format } = schema;
  const text = FORMATS[format] ?? kind;
  const isLong = maxlength > 200 || (isShown && !FITTING.text.test(initial));
  const fitting = isShown && !FITTING[text].test(initial) ? kind : text;
  return { kind: isLong ? 'long' : fitting, limits: { minlength, maxlength } };
}

/** Returns a bound, and the one that is excluded: which is itself a number or, in older schemas, a property of the bound. */
function toBounds(bound, exclusive) {
  const [least, excluded] = [bound, exclusive === true ? bound : exclusive].map((each) =>
    Number.isFinite(each) ? each : undefined,
  );
  return [least ?? excluded, excluded];
}

/** A list of choices, or of text or numbers, one a line. */
function describeList({ items }, initial, { root }) {
  const { schema, nullable } = resolve(items, root);
  const list = Array.isArray(initial) ? initial : [];
  const options = toOptions(schema);
  if (options && list.every((each) => options.some(({ value }) => value === each)))
    return { kind: 'choices', options };
  const { type } = schema;
  const isLine = (each) =>
    fitsType(type, each) && String(each).trim() === String(each) && FITTING.text.test(each);
  if (nullable || !['string', 'number', 'integer'].includes(type)) return undefined;
  return list.every((each) => isLine(each) && each !== '') ? { kind: 'lines', of: type } : undefined;
}

/** Follows a reference inside the schema, and takes null out of the types of a value. */
function resolve(given, root) {
  let schema = isObject(given) ? given : {};
  for (let hops = 0; typeof schema.$ref === 'string' && hops < 8; hops += 1) schema = find(schema.$ref, root);
  const { anyOf = schema.oneOf, type } = schema;
  if (Array.isArray(type)) {
    const types = type.filter((each) => each !== 'null');
    return {
      schema: { ...schema, type: types.length === 1 ? types[0] : undefined },
      nullable: types.length < type.length,
    };
  }
  if (Array.isArray(anyOf) && anyOf.length === 2 && anyOf.some((each) => each?.type === 'null')) {
    const { anyOf: _, oneOf: __, ...rest } = schema;
    const other = resolve(
      anyOf.find((each) => each?.type !== 'null'),
      root,
    );
    return { schema: { ...other.schema, ...rest }, nullable: true };
  }
  return { schema, nullable: false };
}

function find(reference, root) {
  const path = reference.startsWith('#/') ? reference.slice(2).split('/') : ['?'];
  const found = path.reduce(
    (at, name) => (isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined),
    root,
  );
  return isObject(found) ? found : {};
}

/** A list of values, with the words to show: `enum` and its names, or constants with titles. */
function toOptions({ enum: values, enumNames, oneOf, anyOf } = {}) {
  const constants = oneOf ?? anyOf;
  if (Array.isArray(values))
    return values.map((value, index) => ({ value, label: String(enumNames?.[index] ?? value) }));
  if (!Array.isArray(constants) || !constants.every((each) => isObject(each) && 'const' in each))
    return undefined;
  return constants.map(({ const: value, title }) => ({ value, label: String(title ?? value) }));
}

function fitsType(type, value) {
  if (type === 'integer') return Number.isInteger(value);
  return typeof value === type;
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

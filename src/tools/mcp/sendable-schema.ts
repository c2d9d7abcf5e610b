type Schema = Readonly<Record<string, unknown>>;

/** Names that every provider takes for a field of the arguments. */
const FIELD_NAME = /^[a-zA-Z0-9_.-]{1,64}$/;
/** Deeper than any arguments that a model could write. */
const MAX_DEPTH = 50;
/** More than any tool of use has. */
const MAX_SCHEMAS = 5_000;
const TYPES = new Set(['object', 'array', 'string', 'number', 'integer', 'boolean', 'null']);
/** Those of the specification that are told of times and places; others mean nothing to a model, and some providers refuse them. */
const FORMATS = new Set([
  'date-time',
  'date',
  'time',
  'duration',
  'email',
  'hostname',
  'ipv4',
  'ipv6',
  'uri',
  'uuid',
]);
/** Keywords that providers refuse at the top of the arguments. What they ask for is written into the description. */
const NOT_AT_THE_TOP = ['anyOf', 'oneOf', 'allOf', 'not', 'if', 'then', 'else', 'enum', 'const'] as const;
const ONE_SCHEMA = [
  'items',
  'additionalProperties',
  'contains',
  'not',
  'if',
  'then',
  'else',
  'propertyNames',
];
const LISTS = ['anyOf', 'oneOf', 'allOf', 'prefixItems'];
const MAPS = ['properties', '$defs', 'definitions', 'patternProperties', 'dependentSchemas'];

/**
 * Returns the JSON Schema of a tool's arguments as every provider takes it: an object at the top with nothing beside its fields, references that
 * lead somewhere, lists that say what is in them, known types and formats, patterns that are ones. Pure, and the same object when there is nothing
 * to change. It never asks for more than the schema does, only for less: the server has the last word on what fits.
 *
 * @throws when the arguments could not be written at all: a field has a name that providers refuse, or the schema is nested without end or
 * has too many parts
 */
export function toSendableSchema(schema: Schema): Schema {
  const clean = cleanSchema(schema, { root: schema, left: MAX_SCHEMAS, holders: new Map() }, 0) as Schema;
  const top = flattenTop(clean);
  const wrong = Object.keys(top['properties'] as object).find((name) => !FIELD_NAME.test(name));
  if (wrong !== undefined)
    throw new Error(`Providers take no field named ${JSON.stringify(wrong.slice(0, 80))}.`);
  return top;
}

/** The work on one schema, which is bounded: a reference that is written out can stand for a schema as large as the whole. */
interface Cleaning {
  readonly root: Schema;
  /** Schemas that may still be looked at. */
  left: number;
  /** Whether a referenced value has references itself. */
  readonly holders: Map<unknown, boolean>;
}

function cleanSchema(schema: unknown, cleaning: Cleaning, depth: number): unknown {
  const { root, holders } = cleaning;
  if (depth > MAX_DEPTH) throw new Error('The schema is nested too deeply.');
  cleaning.left -= 1;
  if (cleaning.left < 0) throw new Error(`The schema has more than ${MAX_SCHEMAS} parts.`);
  if (schema === true) return {};
  if (!isSchema(schema)) return schema;
  const { $ref: written } = schema;
  const reference = written === undefined || typeof written === 'string' ? written : '';
  if (reference !== undefined && (depth === 0 || !/^#\/(\$defs|definitions)\/[^/]+$/.test(reference))) {
    const { $ref: _, ...beside } = schema;
    const found = resolve(reference, root);
    if (depth > 0 && !holders.has(found)) holders.set(found, holdsReference(found));
    // One that leads into itself would have no end.
    const target = isSchema(found) && (depth === 0 || !holders.get(found)) ? found : {};
    return cleanSchema({ ...target, ...beside }, cleaning, depth + 1);
  }
  const cleaned: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword === '$schema' || keyword === '$id' || (keyword === 'id' && depth === 0)) continue;
    const kept = cleanKeyword(keyword, value, cleaning, depth);
    if (kept !== undefined) cleaned[keyword] = kept;
  }
  if (reference !== undefined && !isSchema(resolve(reference, root))) delete cleaned['$ref'];
  const isList = cleaned['type'] === 'array' && !('items' in cleaned) && !('prefixItems' in cleaned);
  if (isList) cleaned['items'] = {};
  return isSame(cleaned, schema) ? schema : cleaned;
}

function cleanKeyword(keyword: string, value: unknown, cleaning: Cleaning, depth: number): unknown {
  const clean = (inner: unknown) => cleanSchema(inner, cleaning, depth + 1);
  if (ONE_SCHEMA.includes(keyword)) {
    // A list here is the older word for `prefixItems`.
    if (Array.isArray(value)) return {};
    return typeof value === 'boolean' && keyword !== 'items' ? value : clean(value);
  }
  if (LISTS.includes(keyword))
    return Array.isArray(value) && value.length > 0 ? sameOr(value, value.map(clean)) : undefined;
  if (MAPS.includes(keyword)) {
    if (!isSchema(value)) return undefined;
    const fields = Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, clean(inner)]));
    return isSame(fields, value) ? value : fields;
  }
  switch (keyword) {
    case 'type': {
      const types = (Array.isArray(value) ? value : [value]).filter((type) => isKnown(type));
      if (types.length === 0) return undefined;
      return Array.isArray(value) ? sameOr(value, types) : value;
    }
    case 'format':
      return typeof value === 'string' && FORMATS.has(value) ? value : undefined;
    case 'pattern':
      return isPattern(value) ? value : undefined;
    case 'enum':
      return Array.isArray(value) && value.length > 0 ? value : undefined;
    case 'required': {
      if (!Array.isArray(value)) return undefined;
      return sameOr(
        value,
        value.filter((name) => typeof name === 'string'),
      );
    }
    default:
      return value;
  }
}

/** Makes the top an object of fields. Those that only a branch has are there, and none of them is required for it. */
function flattenTop(schema: Schema): Schema {
  const branches = ['anyOf', 'oneOf', 'allOf'].flatMap((keyword) => asList(schema[keyword]));
  const dropped = NOT_AT_THE_TOP.filter((keyword) => keyword in schema);
  const fields = Object.assign(
    {},
    ...branches.map(({ properties }) => properties),
    schema['properties'],
  ) as Schema;
  const isFine = schema['type'] === 'object' && isSchema(schema['properties']) && dropped.length === 0;
  if (isFine && !('$ref' in schema)) return schema;
  const required = [schema['required'], ...asList(schema['allOf']).map((branch) => branch['required'])]
    .flat()
    .filter((name) => typeof name === 'string');
  const rules = Object.fromEntries(dropped.map((keyword) => [keyword, schema[keyword]]));
  const kept = Object.fromEntries(
    Object.entries(schema).filter(([keyword]) => !dropped.includes(keyword as 'not') && keyword !== '$ref'),
  );
  return {
    ...kept,
    type: 'object',
    properties: fields,
    ...(required.length > 0 && { required: [...new Set(required)] }),
    ...(dropped.length > 0 && { description: describe(schema['description'], rules) }),
  };
}

function describe(description: unknown, rules: object): string {
  const told = typeof description === 'string' ? `${description}\n` : '';
  return `${told}Together the fields must match: ${JSON.stringify(rules)}`;
}

function resolve(reference: string, root: Schema): unknown {
  if (!reference.startsWith('#')) return undefined;
  let found: unknown = root;
  for (const part of reference.slice(1).split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    found = isSchema(found) || Array.isArray(found) ? (found as Schema)[name] : undefined;
  }
  return found;
}

function holdsReference(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return '$ref' in value || Object.values(value).some(holdsReference);
}

function isKnown(type: unknown): boolean {
  return typeof type === 'string' && TYPES.has(type);
}

function isPattern(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  try {
    return Boolean(new RegExp(value, 'u'));
  } catch {
    return false;
  }
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function asList(value: unknown): Schema[] {
  return Array.isArray(value) ? value.filter(isSchema) : [];
}

function sameOr(before: readonly unknown[], now: unknown[]): readonly unknown[] {
  return before.length === now.length && now.every((item, index) => item === before[index]) ? before : now;
}

function isSame(now: Schema, before: Schema): boolean {
  const names = Object.keys(before);
  return names.length === Object.keys(now).length && names.every((name) => now[name] === before[name]);
}

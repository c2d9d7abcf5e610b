/**
 * Returns the value with every half of a surrogate pair in its texts, also in the names of fields, replaced by U+FFFD: providers refuse a request
 * that holds one. The same value when there is none. Looks into plain objects and arrays only.
 */
export function toWellFormed<Value>(value: Value): Value {
  return wellFormed(value, 0) as Value;
}

/** Deeper than anything that JSON of a provider or a tool may be. */
const MAX_DEPTH = 200;

function wellFormed(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value.isWellFormed() ? value : value.toWellFormed();
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return value;
  if (Array.isArray(value)) {
    const mapped = value.map((item: unknown) => wellFormed(item, depth + 1));
    return mapped.every((item, index) => Object.is(item, value[index])) ? value : mapped;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  let isSame = true;
  const entries = Object.entries(value).map(([key, field]): [string, unknown] => {
    const entry: [string, unknown] = [key.toWellFormed(), wellFormed(field, depth + 1)];
    isSame &&= entry[0] === key && Object.is(entry[1], field);
    return entry;
  });
  return isSame ? value : Object.fromEntries(entries);
}

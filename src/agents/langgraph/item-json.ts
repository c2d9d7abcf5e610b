import { types } from 'node:util';

/**
 * Returns a value of the store as JSON.
 *
 * @throws TypeError for what JSON would drop or change without a word: a Map, a Set, a function, a BigInt, a cycle
 */
export function toItemJson(value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError('The value of an item must be an object.');
  return JSON.stringify(value, (name, field: unknown) => {
    const kind = findUnfit(field);
    if (kind !== undefined)
      throw new TypeError(`The store keeps JSON. The field '${name}' of the value is ${kind}.`);
    return field;
  });
}

function findUnfit(value: unknown): string | undefined {
  if (typeof value === 'bigint') return 'a BigInt';
  if (typeof value === 'function' || typeof value === 'symbol') return `a ${typeof value}`;
  if (types.isMap(value)) return 'a Map';
  return types.isSet(value) ? 'a Set' : undefined;
}

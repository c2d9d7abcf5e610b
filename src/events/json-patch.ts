/** A change of a JSON document, as RFC 6902 writes it: of its operations, those that {@link diffJson} needs. */
export type PatchOperation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string };

/** Levels below which a change replaces what is there, so that no depth of a document can exhaust the stack. */
const MAX_DEPTH = 32;

/** Returns the operations that make `after` of `before`; none if both say the same. Both are plain JSON. */
export function diffJson(before: unknown, after: unknown): PatchOperation[] {
  const patch: PatchOperation[] = [];
  compare(before, after, { path: '', depth: 0, patch });
  return patch;
}

/**
 * Returns the document after the operations, which are done in order. Pure: shares what did not change. An operation whose place is not there changes
 * nothing.
 */
export function applyPatch(document: unknown, patch: readonly PatchOperation[]): unknown {
  return patch.reduce(
    (result: unknown, operation) => applyAt(result, operation, parsePointer(operation.path)),
    document,
  );
}

/** True for a patch that says the whole document, whatever was before. */
export function isWholeDocument(
  patch: readonly PatchOperation[],
): patch is readonly [Extract<PatchOperation, { readonly value: unknown }>] {
  return patch.length === 1 && patch[0]?.op !== 'remove' && patch[0]?.path === '';
}

interface Place {
  readonly path: string;
  readonly depth: number;
  readonly patch: PatchOperation[];
}

function compare(before: unknown, after: unknown, place: Place): void {
  if (before === after) return;
  const { path, depth, patch } = place;
  if (depth < MAX_DEPTH && Array.isArray(before) && Array.isArray(after)) compareArrays(before, after, place);
  else if (depth < MAX_DEPTH && isPlain(before) && isPlain(after)) compareRecords(before, after, place);
  else if (typeof after !== 'object' || JSON.stringify(before) !== JSON.stringify(after))
    patch.push({ op: 'replace', path, value: after });
}

/** By position: what comes at the end is added there, which is how most lists of a state grow. */
function compareArrays(before: readonly unknown[], after: readonly unknown[], place: Place): void {
  const { patch } = place;
  const shared = Math.min(before.length, after.length);
  for (let index = 0; index < shared; index++) compare(before[index], after[index], inside(place, index));
  for (let index = before.length - 1; index >= shared; index--)
    patch.push({ op: 'remove', path: inside(place, index).path });
  for (let index = shared; index < after.length; index++)
    patch.push({ op: 'add', path: inside(place, index).path, value: after[index] });
}

function compareRecords(before: JsonRecord, after: JsonRecord, place: Place): void {
  const { patch } = place;
  for (const key of Object.keys(before)) {
    if (Object.hasOwn(after, key)) compare(before[key], after[key], inside(place, key));
    else patch.push({ op: 'remove', path: inside(place, key).path });
  }
  for (const key of Object.keys(after)) {
    if (!Object.hasOwn(before, key))
      patch.push({ op: 'add', path: inside(place, key).path, value: after[key] });
  }
}

function inside({ path, depth, patch }: Place, key: string | number): Place {
  const name = String(key).replaceAll('~', '~0').replaceAll('/', '~1');
  return { path: `${path}/${name}`, depth: depth + 1, patch };
}

function parsePointer(path: string): string[] {
  const names = path.split('/').slice(1);
  return names.map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function applyAt(document: unknown, operation: PatchOperation, [name, ...rest]: readonly string[]): unknown {
  if (name === undefined) return operation.op === 'remove' ? undefined : operation.value;
  if (Array.isArray(document)) return applyToArray(document, operation, [name, ...rest]);
  if (!isRecord(document)) return document;
  if (rest.length > 0) {
    if (!Object.hasOwn(document, name)) return document;
    return { ...document, [name]: applyAt(document[name], operation, rest) };
  }
  if (operation.op !== 'remove') return { ...document, [name]: operation.value };
  const { [name]: _, ...others } = document;
  return others;
}

function applyToArray(
  document: readonly unknown[],
  operation: PatchOperation,
  [name, ...rest]: readonly [string, ...string[]],
): unknown {
  const index = name === '-' ? document.length : Number(name);
  const isThere = Number.isInteger(index) && index >= 0 && index < document.length;
  if (rest.length > 0 || operation.op === 'replace')
    return isThere ? document.with(index, applyAt(document[index], operation, rest)) : document;
  if (operation.op === 'remove') return isThere ? document.toSpliced(index, 1) : document;
  return isThere || index === document.length ? document.toSpliced(index, 0, operation.value) : document;
}

/** Names that other libraries refuse in a path: what has one is replaced as a whole. */
const REFUSED_NAMES = ['__proto__', 'constructor', 'prototype'];

function isPlain(value: unknown): value is JsonRecord {
  return isRecord(value) && !REFUSED_NAMES.some((name) => Object.hasOwn(value, name));
}

type JsonRecord = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

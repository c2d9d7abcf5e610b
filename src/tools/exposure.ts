/**
 * The parts of a tool's input and output that may leave the server. Each side: absent or false, nothing; true, all of it; a list of
 * top-level field names; or a function that returns what may be shown (undefined: nothing).
 */
export interface Exposure<Input = unknown> {
  readonly input?: Exposed<Input>;
  readonly output?: Exposed<unknown>;
}

export type Exposed<Value> = boolean | readonly string[] | ((value: Value) => unknown);

/** The part of `value` that may be shown; undefined when nothing may. A function that throws shows nothing. */
export function expose<Value>(exposed: Exposed<Value> | undefined, value: Value): unknown {
  if (exposed === undefined || exposed === false) return undefined;
  if (exposed === true) return value;
  if (typeof exposed !== 'function') return pick(value, exposed);
  try {
    return exposed(value);
  } catch {
    return undefined;
  }
}

function pick(value: unknown, names: readonly string[]): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.fromEntries(Object.entries(value).filter(([name]) => names.includes(name)));
}

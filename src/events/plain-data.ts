import type { InputRequest, RunEvent } from './run-event.js';

/**
 * The event as the log will give it back: a copy of the data that came from tools and graphs, through JSON. What a tool
 * changes after it has reported it is not seen, and what JSON itself cannot say (cycles, BigInt, Map) is said in words that people can read.
 */
export function withPlainData(event: RunEvent): RunEvent {
  switch (event.type) {
    // Words are plain already, and there are many of them.
    case 'text-delta':
    case 'reasoning-delta':
      return event;
    case 'custom':
      return { ...event, data: plain(event.data) ?? null };
    case 'input-request':
      return plainRequest(event);
    default:
      return plainFields(event);
  }
}

function plainRequest(event: InputRequest): InputRequest {
  switch (event.kind) {
    case 'approval':
    case 'client-tool':
      return { ...event, input: plain(event.input) ?? null };
    case 'interrupt':
      return { ...event, value: plain(event.value) ?? null };
    case 'elicitation':
      return event;
  }
}

/** The value as JSON; undefined when JSON cannot say it. */
export function toJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

/** Field by field, so that one that cannot be said takes no other with it. */
function plainFields(event: RunEvent): RunEvent {
  const fields = Object.entries(event).map(([name, value]) => [name, plain(value)] as const);
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined)) as unknown as RunEvent;
}

function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return toReadable(value);
  return JSON.parse(toReadableJson(value) ?? 'null');
}

/** The value as JSON, with words that people can read for what JSON cannot say. Undefined for a function and for nothing. */
export function toReadableJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value, readableAt());
  } catch (error) {
    return JSON.stringify(`[unreadable: ${error instanceof Error ? error.message : String(error)}]`);
  }
}

/** Returns a replacer for one `JSON.stringify`, which is called with what holds each value. */
function readableAt(): (this: unknown, key: string, value: unknown) => unknown {
  const around: unknown[] = [];
  return function (_key, value) {
    // What it was called for before this may be a level further in, and is done.
    while (around.length > 0 && around.at(-1) !== this) around.pop();
    const readable = toReadable(value);
    if (typeof readable !== 'object' || readable === null) return readable;
    if (around.includes(readable)) return '[circular]';
    around.push(readable);
    return readable;
  };
}

function toReadable(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'symbol') return String(value);
  if (value instanceof Set) return [...value];
  if (value instanceof Error) return { name: value.name, message: value.message };
  if (!(value instanceof Map)) return typeof value === 'function' ? undefined : value;
  const entries = [...value] as [unknown, unknown][];
  return entries.every(([key]) => typeof key === 'string') ? Object.fromEntries(entries) : entries;
}

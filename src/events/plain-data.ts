import type { RunEvent } from './run-event.js';

/**
 * The event as the log will give it back: a copy of the data that came from tools and graphs, through JSON. What a tool
 * changes after it has reported it is not seen, and what JSON cannot say (cycles, BigInt) is left out and harms nobody.
 */
export function withPlainData(event: RunEvent): RunEvent {
  switch (event.type) {
    // Words are plain already, and there are many of them.
    case 'text-delta':
    case 'reasoning-delta':
      return event;
    case 'custom':
      return { ...event, data: plain(event.data) ?? null };
    case 'approval-request':
      return { ...event, input: plain(event.input) ?? null };
    default:
      return plainFields(event);
  }
}

/** The value as JSON; undefined when JSON cannot say it. */
export function jsonOf(value: unknown): string | undefined {
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
  if (typeof value === 'string') return value;
  const json = jsonOf(value);
  return json === undefined ? undefined : JSON.parse(json);
}

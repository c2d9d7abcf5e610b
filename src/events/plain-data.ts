import type { RunEvent } from './run-event.js';

/**
 * The event as the log will give it back: a copy of the data that came from tools and graphs, through JSON. What a tool
 * changes after it has reported it is not seen, and what JSON cannot say (cycles, BigInt) is left out and harms nobody.
 */
export function withPlainData(event: RunEvent): RunEvent {
  switch (event.type) {
    case 'tool-start':
      return event.input === undefined ? event : { ...event, input: plain(event.input) };
    case 'tool-end':
      return event.output === undefined ? event : { ...event, output: plain(event.output) };
    case 'tool-progress':
      return event.data === undefined ? event : { ...event, data: plain(event.data) };
    case 'custom':
      return { ...event, data: plain(event.data) ?? null };
    case 'approval-request':
      return { ...event, input: plain(event.input) ?? null };
    default:
      return event;
  }
}

function plain(value: unknown): unknown {
  try {
    const json = JSON.stringify(value) as string | undefined;
    return json === undefined ? undefined : JSON.parse(json);
  } catch {
    return undefined;
  }
}

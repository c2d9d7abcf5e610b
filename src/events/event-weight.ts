import { toJson } from './plain-data.js';
import type { RunEvent } from './run-event.js';

/** Bytes of an event's envelope beside its text. */
const ENVELOPE_BYTES = 64;

/** Roughly the bytes that an event takes, in a log or in memory. Cheap for the words of a model, of which there are many. */
export function weighEvent(event: RunEvent): number {
  return ENVELOPE_BYTES + weighPayload(event);
}

function weighPayload(event: RunEvent): number {
  switch (event.type) {
    case 'text-delta':
    case 'reasoning-delta':
      return event.delta.length;
    case 'tool-start':
      return weighData(event.input);
    case 'input-request':
      return weighData(event);
    case 'input-answer':
      return weighData(event.input) + weighData(event.added);
    case 'tool-end':
      return weighData(event.output);
    case 'tool-progress':
    case 'custom':
      return weighData(event.data);
    case 'state':
      return weighData(event.patch);
    case 'checkpoint':
      return weighData(event.next);
    case 'message-put':
      return event.text?.length ?? 0;
    case 'file':
    case 'source':
      return weighData(event);
    case 'run-start':
    case 'run-resume':
    case 'step-start':
    case 'step-end':
    case 'step-reset':
    case 'text-start':
    case 'text-end':
    case 'reasoning-start':
    case 'reasoning-end':
    case 'usage':
    case 'task':
    case 'end':
      return 0;
    default:
      // Of a newer version.
      event satisfies never;
      return 0;
  }
}

function weighData(value: unknown): number {
  return toJson(value)?.length ?? 0;
}

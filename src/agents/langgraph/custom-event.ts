import type { CustomEvent } from '../../events/run-event.js';

/**
 * Turns a value that a graph wrote with `config.writer` into an event. A name is taken from `{ name, data }` or `{ type, … }`;
 * anything else is 'custom'.
 */
export function toCustomEvent(value: unknown, stepId?: string): CustomEvent {
  const step = stepId !== undefined && { stepId };
  if (typeof value !== 'object' || value === null)
    return { type: 'custom', name: 'custom', data: value, ...step };
  if ('name' in value && typeof value.name === 'string' && 'data' in value) {
    return { type: 'custom', name: value.name, data: value.data, ...step };
  }
  const name = 'type' in value && typeof value.type === 'string' ? value.type : 'custom';
  return { type: 'custom', name, data: value, ...step };
}

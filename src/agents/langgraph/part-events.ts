import type { FilePut, SourceCited } from '../../events/run-event.js';
import type { MessagePart } from './message-parts.js';

/** Returns the event for a part of a message. @param place the step, the message and the agent that it belongs to */
export function toPartEvent(
  part: MessagePart,
  place: Pick<FilePut, 'partId' | 'messageId' | 'stepId' | 'subagent'>,
): FilePut | SourceCited {
  if (part.kind === 'file') return { type: 'file', ...place, ...(part.facts ?? UNKEPT) };
  const { kind: type, ...source } = part;
  return { type, ...place, ...source };
}

const UNKEPT = { mediaType: 'application/octet-stream', omitted: 'unreadable' } as const;

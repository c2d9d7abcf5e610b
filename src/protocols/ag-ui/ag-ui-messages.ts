import type { EntryPart, TranscriptEntry } from '../transcript/transcript-entries.js';
import { toContent } from './ag-ui-content.js';
import type {
  AgUiActivityMessage,
  AgUiEvent,
  AgUiMessage,
  AgUiToolCall,
  OfSubagent,
} from './ag-ui-events.js';

type Dialect = '1.0' | '0';

/** A message as an AG-UI client keeps it. @param by whose it is */
export function toAgUiMessage(entry: TranscriptEntry, dialect: Dialect, by: OfSubagent = {}): AgUiMessage {
  const { id } = entry;
  switch (entry.kind) {
    case 'user':
      return { id, role: 'user', content: toContent(entry.text, entry.files, dialect) };
    case 'assistant': {
      const { text, calls } = entry;
      const toolCalls = calls.map((call): AgUiToolCall => ({
        id: call.toolCallId,
        type: 'function',
        function: { name: call.toolName, arguments: toArguments(call.input) },
      }));
      return {
        id,
        role: 'assistant',
        ...(text !== undefined && { content: text }),
        ...(toolCalls.length > 0 && { toolCalls }),
        ...by,
      };
    }
    case 'reasoning':
      return { id, role: 'reasoning', content: entry.text, ...by };
    case 'result':
      return { id, role: 'tool', toolCallId: entry.toolCallId, content: entry.content };
    default:
      return entry satisfies never;
  }
}

/**
 * Returns the messages of a conversation, with one for each file and source if the client's version of the protocol has them. They follow the results of
 * their message, in the order in which a live client receives them.
 */
export function toAgUiMessages(
  entries: readonly TranscriptEntry[],
  {
    dialect,
    attribute = () => ({}),
  }: { readonly dialect: Dialect; readonly attribute?: (entry: TranscriptEntry) => OfSubagent },
): AgUiMessage[] {
  const messages: AgUiMessage[] = [];
  const waiting: AgUiMessage[] = [];
  for (const entry of entries) {
    if (entry.kind !== 'result') messages.push(...waiting.splice(0));
    const by = attribute(entry);
    const isSaid = entry.kind !== 'assistant' || entry.text !== undefined || entry.calls.length > 0;
    if (isSaid) messages.push(toAgUiMessage(entry, dialect, by));
    const { parts = [] } = entry.kind === 'assistant' && dialect === '1.0' ? entry : {};
    waiting.push(...parts.map((part) => toActivity(part, by)));
  }
  return [...messages, ...waiting];
}

function toActivity({ id, kind: activityType, ...content }: EntryPart, by: OfSubagent): AgUiActivityMessage {
  return { id, role: 'activity', activityType, content, ...by };
}

/** Returns the replacement of a superseded message, for kinds that a client keeps although a snapshot omits them. */
export function toLostMessages(entry: TranscriptEntry, by: OfSubagent, dialect: Dialect): AgUiMessage[] {
  if (entry.kind === 'reasoning') return [toAgUiMessage({ ...entry, text: '' }, dialect, by)];
  const { parts = [] } = entry.kind === 'assistant' && dialect === '1.0' ? entry : {};
  return parts.map((part) => ({ ...toActivity(part, by), content: { withdrawn: true } }));
}

/** Returns the event for a file or a source: an activity, which clients before 1.0 may not know. */
export function toActivityEvent(part: EntryPart, by: OfSubagent, dialect: Dialect): AgUiEvent {
  if (dialect === '0') return { type: 'CUSTOM', name: part.kind, value: part };
  const { id: messageId, role: _, ...activity } = toActivity(part, by);
  return { type: 'ACTIVITY_SNAPSHOT', messageId, ...activity, replace: true };
}

/** JSON: clients parse the arguments, also those of a tool that hides them. */
export function toArguments(input: unknown): string {
  return JSON.stringify(input ?? {});
}

import type { FilePut, SourceCited } from '../../events/run-event.js';
import type { FilePart, SourcePart } from '../../events/run-view.js';
import { isInsideCall } from '../../events/subagent.js';
import type { ToAddress } from '../../events/file-address.js';
import { toMessageId } from '../transcript/transcript-entries.js';
import type { FileChunk, OfPart, SourceChunk } from './ai-sdk-chunks.js';

/** A file or a source, as an event or as a part of a view. */
type Given = FilePut | SourceCited | FilePart | SourcePart;

/** True for a missing file, and for a part of an agent inside a tool: the SDK would show it as part of the answer. */
interface DataChunk {
  readonly type: `data-${string}`;
  readonly id: string;
  readonly data: unknown;
}

/** Returns the chunk for a file or a source. Messages have the same part. */
export function toFilePart(
  given: Given,
  runId: string,
  toAddress: ToAddress,
): FileChunk | SourceChunk | DataChunk {
  const facts = readFacts(given);
  const id = toMessageId(runId, given.partId);
  if (isInsideCall(given)) {
    const { subagent } = given;
    return { type: 'data-subagent', id, data: { ...facts, subagent } };
  }
  if (facts.kind === 'file') {
    const { kind: _, mediaType, url: __, ...more } = facts;
    const url = toAddress(facts);
    if (url === undefined) return { type: 'data-file', id, data: { mediaType, ...more } };
    return { type: 'file', mediaType, url, ...toMetadata(more) };
  }
  const { kind: _, url, title, ...more } = facts;
  if (url === undefined)
    return {
      type: 'source-document',
      sourceId: id,
      mediaType: 'text/plain',
      title: title || 'Source',
      ...toMetadata(more),
    };
  return { type: 'source-url', sourceId: id, url, ...(title && { title }), ...toMetadata(more) };
}

function readFacts(given: Given) {
  const kind = 'kind' in given ? given.kind : given.type;
  if (kind === 'source') {
    const { url, title, quote, subagent } = given as SourcePart;
    return { kind, ...present({ url, title, quote, subagent }) } as const;
  }
  const { mediaType, name, url, fileId, bytes, omitted, toolCallId, subagent } = given as FilePart;
  return {
    kind,
    mediaType,
    ...present({ name, url, fileId, bytes, omitted, toolCallId, subagent }),
  } as const;
}

function present<Fields extends object>(
  fields: Fields,
): { [Name in keyof Fields]?: NonNullable<Fields[Name]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Fields]?: NonNullable<Fields[Name]>;
  };
}

function toMetadata(more: OfPart['agentStream']): { readonly providerMetadata?: OfPart } {
  return Object.keys(more).length > 0 ? { providerMetadata: { agentStream: more } } : {};
}

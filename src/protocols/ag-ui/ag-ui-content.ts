import { z } from 'zod';
import { AppError } from '../../errors.js';
import { joinPieces, splitText } from '../../events/message-order.js';
import type { FileFacts, PlacedFile } from '../../events/message-part.js';
import type { GivenFile } from '../../streams/given-files.js';

/** The text and the files of a person's message. */
export interface AgUiContent {
  readonly text: string;
  readonly files: readonly GivenFile[];
}

const textPart = z.looseObject({ type: z.literal('text'), text: z.string() });

const mimeType = z.string().max(255).optional();

/** A source of a file, since version 1.0. `file` names one by its id. */
const sourceSchema = z.looseObject({
  type: z.enum(['data', 'url', 'file']),
  value: z.string(),
  mimeType,
});

const metadataSchema = z.looseObject({ filename: z.string().max(255).optional() });

const mediaPart = z.looseObject({
  type: z.enum(['image', 'audio', 'video', 'document']),
  source: sourceSchema,
  metadata: z.unknown().optional(),
});

/** A file before version 1.0. */
const binaryPart = z.looseObject({
  type: z.literal('binary'),
  mimeType,
  id: z.string().optional(),
  url: z.string().optional(),
  data: z.string().optional(),
  filename: z.string().max(255).optional(),
});

const partsSchema = z.array(z.union([textPart, mediaPart, binaryPart]));

/** Reads the content of a message in any version of the protocol. @throws AppError REQUEST_INVALID */
export function readContent(content: unknown): AgUiContent {
  if (typeof content === 'string') return { text: content, files: [] };
  const parts = partsSchema.safeParse(content);
  if (!parts.success)
    throw new AppError('REQUEST_INVALID', 'messages: The last message must be text and files.');
  return joinPieces(
    parts.data.map((part) => (part.type === 'text' ? { text: part.text } : { file: toGivenFile(part) })),
    '\n',
  );
}

function toGivenFile(part: z.output<typeof mediaPart | typeof binaryPart>): GivenFile {
  if (part.type === 'binary') {
    const { id, url, data, filename } = part;
    // The id of a part that has its bytes is the client's own.
    const isById = data === undefined && url === undefined;
    return { url, data, mediaType: part.mimeType, name: filename, ...(isById && { fileId: id }) };
  }
  const { type, value, mimeType: mediaType } = part.source;
  const name = metadataSchema.safeParse(part.metadata).data?.filename;
  const place = type === 'data' ? { data: value } : type === 'url' ? { url: value } : { fileId: value };
  return { ...place, mediaType, name };
}

/** Returns the content of a person's message for a client of this version. */
export function toContent(
  text: string,
  files: readonly PlacedFile[] | undefined,
  dialect: '1.0' | '0',
): string | readonly object[] {
  if (!files) return text;
  const toPart = dialect === '0' ? toBinaryPart : toMediaPart;
  return splitText(text, files).map((piece) =>
    'text' in piece ? { type: 'text', text: piece.text } : toPart(piece.file),
  );
}

function toBinaryPart({ mediaType, name, fileId, url }: FileFacts): object {
  return {
    type: 'binary',
    mimeType: mediaType,
    ...(url ? { url } : { id: fileId }),
    ...(name && { filename: name }),
  };
}

function toMediaPart({ mediaType, name, fileId, url }: FileFacts): object {
  const [family = ''] = mediaType.split('/');
  const place = url ? { type: 'url', value: url } : { type: 'file', value: fileId ?? '' };
  return {
    type: ['image', 'audio', 'video'].includes(family) ? family : 'document',
    source: { ...place, mimeType: mediaType },
    ...(name && { metadata: { filename: name } }),
  };
}

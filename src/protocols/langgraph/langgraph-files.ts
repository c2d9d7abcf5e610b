import { z } from 'zod';
import { joinPieces, type Piece } from '../../events/message-order.js';
import type { GivenFile } from '../../streams/given-files.js';

type Input = Readonly<Record<string, unknown>>;

/** An input without the files of its last message, and these. */
export interface SplitInput<Given> {
  readonly input: Given;
  /** Absent: its message has none. */
  readonly files?: readonly GivenFile[];
}

const optional = z.string().nullish();

/** Content blocks of LangChain: the standard ones, those before 1.0, and OpenAI's. */
const blockSchema = z.looseObject({
  type: z.enum(['image', 'audio', 'video', 'file', 'image_url', 'input_audio', 'text-plain']),
  url: optional,
  data: optional,
  text: optional,
  fileId: optional,
  mimeType: optional,
  mime_type: optional,
  image_url: z.union([z.string(), z.looseObject({ url: z.string() })]).nullish(),
  input_audio: z.looseObject({ data: z.string(), format: z.string() }).nullish(),
  file: z.looseObject({ file_data: optional, file_id: optional, filename: optional }).nullish(),
  metadata: z.looseObject({ name: z.unknown().optional(), filename: z.unknown().optional() }).nullish(),
});

/** Takes the files out of the last message of an input: they are stored beside it. */
export function splitInput<Given extends Input | null | undefined>(input: Given): SplitInput<Given> {
  const messages: unknown = input?.['messages'];
  const all: readonly unknown[] = Array.isArray(messages) ? messages : [messages];
  const last = all.at(-1) as { readonly content?: unknown } | undefined;
  if (!Array.isArray(last?.content)) return { input };
  const blocks = last.content.map((block: unknown) => ({ block, file: readFile(block) }));
  const pieces = blocks.flatMap(({ block, file }): Piece<GivenFile>[] =>
    file ? [{ file }] : readWords(block),
  );
  const { files } = joinPieces(pieces, '\n');
  if (files.length === 0) return { input };
  const content = blocks.flatMap(({ block, file }) => (file ? [] : [block]));
  const rest = [...all.slice(0, -1), { ...last, content }];
  return { input: { ...input, messages: Array.isArray(messages) ? rest : rest[0] }, files };
}

function readWords(block: unknown): Piece<GivenFile>[] {
  const { text } = (block ?? {}) as { readonly text?: unknown };
  return typeof text === 'string' ? [{ text }] : [];
}

function readFile(block: unknown): GivenFile | undefined {
  const { data: found } = blockSchema.safeParse(block);
  if (!found) return undefined;
  const { image_url: image, input_audio: audio, file, metadata } = found;
  const names = [metadata?.filename, metadata?.name, file?.filename];
  const name = names.find((each) => typeof each === 'string');
  const mediaType = found.mimeType ?? found.mime_type ?? (audio ? `audio/${audio.format}` : undefined);
  if (found.type === 'text-plain') return readText(found, { name, mediaType: mediaType ?? 'text/plain' });
  return {
    url: found.url ?? (typeof image === 'string' ? image : image?.url),
    data: found.data ?? audio?.data ?? file?.file_data ?? undefined,
    fileId: found.fileId ?? file?.file_id ?? undefined,
    mediaType,
    name,
  };
}

function readText(
  { text, data, url, fileId }: z.output<typeof blockSchema>,
  facts: { readonly name: unknown; readonly mediaType: string },
): GivenFile {
  const encoded = text === undefined || text === null ? data : Buffer.from(text).toString('base64');
  return {
    data: encoded ?? undefined,
    url: url ?? undefined,
    fileId: fileId ?? undefined,
    mediaType: facts.mediaType,
    name: facts.name as string | undefined,
  };
}

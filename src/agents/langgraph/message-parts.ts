import type { FileFacts, KeepFile, NewFile, SourceFacts } from '../../events/message-part.js';

/** A part of a message that is neither text nor reasoning. */
export type MessagePart = FilePart | SourcePart;

export interface FilePart extends NewFile {
  readonly kind: 'file';
  /** Set once the file is stored; the bytes are removed then. */
  readonly facts?: FileFacts;
}

export interface SourcePart extends SourceFacts {
  readonly kind: 'source';
}

type Fields = Readonly<Record<string, unknown>>;

/** Types of blocks that are files, with the media type that some of them imply. */
const FILE_BLOCKS: Readonly<Record<string, string | undefined>> = {
  image: undefined,
  image_url: undefined,
  input_image: undefined,
  audio: undefined,
  input_audio: undefined,
  video: undefined,
  file: undefined,
  input_file: undefined,
  document: undefined,
  media: undefined,
  inlineData: undefined,
  fileData: undefined,
  image_generation_call: 'image/png',
  'text-plain': 'text/plain',
};

/**
 * Returns the files and sources of a message. Reads LangChain's standard blocks, those before 1.0, and the blocks of OpenAI, Anthropic and Google
 * as their packages pass them on.
 *
 * @param content of the message
 * @param beside its `additional_kwargs`, where OpenAI's package has the output of its own tools
 * @param metadata its `response_metadata`, where Google's package has the sources of a search
 */
export function readParts(content: unknown, beside: Fields = {}, metadata: Fields = {}): MessagePart[] {
  const { audio, tool_outputs: outputs } = beside;
  const grounding = metadata['groundingMetadata'] ?? metadata['grounding_metadata'];
  // The ordinary message. Each checkpoint has many.
  if (typeof content === 'string' && !audio && !outputs && !grounding) return [];
  const blocks = [...listBlocks(content), ...listBlocks(outputs)];
  return distinct([
    ...blocks.flatMap(readBlock),
    ...(isFields(audio) ? readAudio(audio) : []),
    ...readGrounding(grounding),
  ]);
}

/** Returns the part with the facts of its stored file in place of the bytes. */
export async function keepPart(part: MessagePart, keep: KeepFile): Promise<MessagePart> {
  if (part.kind === 'source' || part.facts) return part;
  const { kind, ...file } = part;
  return { kind, facts: await keep(file) };
}

/** Returns a text that is the same for messages with the same files and sources. */
export function describeParts({ parts = [] }: { readonly parts?: readonly MessagePart[] }): string {
  return JSON.stringify(
    parts.map((part) => {
      if (part.kind === 'source') return [part.url, part.title, part.quote];
      const { url, fileId, name, mediaType, omitted } = part.facts ?? {};
      return [url, fileId, name, mediaType, omitted, part.data, part.url];
    }),
  );
}

function readBlock(block: Fields): MessagePart[] {
  const type = text(block, 'type') ?? findBareType(block) ?? '';
  if (Object.hasOwn(FILE_BLOCKS, type)) {
    const file = readFile(block, FILE_BLOCKS[type]);
    return file ? [{ kind: 'file', ...file }] : [];
  }
  const cited = type === 'text' || type === 'output_text' ? [block['annotations'], block['citations']] : [];
  return cited.flatMap(listBlocks).flatMap(readCitation);
}

/** Google's blocks have their type as a name. */
function findBareType(block: Fields): string | undefined {
  return ['inlineData', 'fileData'].find((name) => name in block);
}

function readFile(block: Fields, implied: string | undefined): NewFile | undefined {
  const named = [
    block['image_url'],
    block['input_audio'],
    block['source'],
    block['file'],
    block['inlineData'],
  ];
  const inner = [...named, block['fileData'], block['audio']].find(
    (value): value is Fields | string => isFields(value) || typeof value === 'string',
  );
  const all = { ...block, ...(isFields(inner) ? inner : {}) };
  const url =
    text(all, 'url', 'file_url', 'fileUri', 'uri') ?? (typeof inner === 'string' ? inner : undefined);
  const words = text(all, 'text');
  const data =
    all['data'] instanceof Uint8Array ? all['data'] : text(all, 'data', 'result', 'file_data', 'base64');
  const isPlain = block['type'] === 'text-plain' || all['source_type'] === 'text' || isAnthropicText(inner);
  const mediaType =
    text(all, 'mimeType', 'mime_type', 'media_type', 'mediaType') ?? toAudioType(all) ?? implied;
  const name = text(all, 'name', 'filename', 'title') ?? readMetadataName(block['metadata']);
  const bytes = isPlain && typeof (data ?? words) === 'string' ? Buffer.from(data ?? words ?? '') : data;
  // Only its author can use a file id of a provider. It still tells that there is a file.
  const isThere = url !== undefined || bytes !== undefined || hasId(block, all);
  if (!isThere) return undefined;
  return { mediaType, name, url: url ?? (bytes === undefined ? 'provider:file' : undefined), data: bytes };
}

function isAnthropicText(source: unknown): boolean {
  return isFields(source) && source['type'] === 'text';
}

function hasId(block: Fields, all: Fields): boolean {
  return block['source_type'] === 'id' || text(all, 'fileId', 'file_id') !== undefined;
}

function toAudioType({ format }: Fields): string | undefined {
  return typeof format === 'string' ? `audio/${format === 'mp3' ? 'mpeg' : format}` : undefined;
}

/** OpenAI's spoken answer, with its words beside it. */
function readAudio({ data, format }: Fields): MessagePart[] {
  if (typeof data !== 'string') return [];
  return [{ kind: 'file', data, mediaType: toAudioType({ format }) ?? 'audio/wav' }];
}

function readMetadataName(metadata: unknown): string | undefined {
  return isFields(metadata) ? text(metadata, 'name', 'filename', 'title') : undefined;
}

function readCitation(citation: Fields): MessagePart[] {
  const { type } = citation;
  if (typeof type !== 'string') return [];
  const inner = citation['url_citation'];
  const all = isFields(inner) ? { ...citation, ...inner } : citation;
  const url = text(all, 'url') ?? (type === 'search_result_location' ? text(all, 'source') : undefined);
  const title = text(all, 'title', 'document_title', 'filename');
  const quote = text(all, 'citedText', 'cited_text');
  return toSource({ url, title, quote });
}

/** The pages that Google's search has found. */
function readGrounding(grounding: unknown): MessagePart[] {
  if (!isFields(grounding)) return [];
  return listBlocks(grounding['groundingChunks'] ?? grounding['grounding_chunks']).flatMap((chunk) => {
    const page = chunk['web'] ?? chunk['retrievedContext'];
    return isFields(page) ? toSource({ url: text(page, 'uri', 'url'), title: text(page, 'title') }) : [];
  });
}

const LONGEST_QUOTE = 2_000;

/** Leaves out an address that is not http or https, because clients make it a link. */
function toSource({ url, title, quote }: { [Name in keyof SourceFacts]: string | undefined }): MessagePart[] {
  const isWeb = url !== undefined && /^https?:\/\//i.test(url) && URL.canParse(url);
  const source = {
    ...(isWeb && { url }),
    ...(title !== undefined && { title: title.slice(0, LONGEST_QUOTE).toWellFormed() }),
    ...(quote !== undefined && { quote: quote.slice(0, LONGEST_QUOTE).toWellFormed() }),
  };
  return Object.keys(source).length > 0 ? [{ kind: 'source', ...source }] : [];
}

/** Removes repetitions: a page is often cited once for each sentence. */
function distinct(parts: readonly MessagePart[]): MessagePart[] {
  const known = new Set<string>();
  return parts.filter((part) => {
    if (part.kind === 'file') return true;
    const key = JSON.stringify(part);
    return !known.has(key) && known.add(key);
  });
}

function listBlocks(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isFields) : [];
}

function text(fields: Fields, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = fields[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return undefined;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

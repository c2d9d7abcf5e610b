import { HumanMessage, type BaseMessage, type ContentBlock } from '@langchain/core/messages';
import type { RunnableConfig } from '@langchain/core/runnables';
import type { ReadableFile, ReadFile } from '../../events/message-part.js';
import { isInRanges } from '../../events/media-range.js';
import { isTextType } from './accepted-files.js';
import { getActiveRun } from './active-run.js';
import { cutText } from './cut-text.js';
import { isFileBlock, type FileBlock } from './file-blocks.js';

/** Maximum bytes of files in one request to a model. Providers refuse requests that are much larger. */
const MAX_CALL_BYTES = 24 * 1024 * 1024;

/** Maximum bytes of one text file that a model gets; the rest is cut off, with a note. */
const MAX_TEXT_BYTES = 256 * 1024;

const LEFT_OUT = 'which is left out here';

export interface FileReading {
  /** Absent: no file is kept. */
  readonly readFile?: ReadFile | undefined;
  /** True if the model takes files of this type. A note takes the place of any other. */
  readonly takes: (mediaType: string) => boolean;
  /** Maximum bytes of all files. Default 24 MiB. */
  readonly maxBytes?: number;
}

/** Returns how many bytes of files a model call with these messages takes at most, by what their blocks say. */
export function countFileBytes(messages: readonly BaseMessage[]): number {
  const blocks = messages.flatMap(({ content }) => (Array.isArray(content) ? content : []));
  const bytes = blocks.reduce((sum, block: unknown) => sum + (isFileBlock(block) ? readSize(block) : 0), 0);
  return Math.min(MAX_CALL_BYTES, bytes);
}

/** Nodes of a graph may write blocks of their own, with anything in them. */
function readSize({ metadata: { bytes = 0 } }: FileBlock): number {
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : 0;
}

/**
 * Returns the messages with the bytes of their files, as LangChain's standard content blocks. The newest files come first where all would be too large
 * for one request. A file that the model does not take, or that is no longer kept, becomes a note. The same array when there are no files.
 */
export async function resolveFiles(
  messages: readonly BaseMessage[],
  reading: FileReading,
): Promise<readonly BaseMessage[]> {
  if (!messages.some(hasFiles)) return messages;
  const resolved: BaseMessage[] = [];
  const readFile = createReader(reading);
  let room = reading.maxBytes ?? MAX_CALL_BYTES;
  for (const message of messages.toReversed()) {
    if (!hasFiles(message)) {
      resolved.unshift(message);
      continue;
    }
    const blocks: ContentBlock.Standard[] = [];
    for (const block of message.content as readonly unknown[]) {
      if (!isFileBlock(block)) {
        blocks.push(block as ContentBlock.Standard);
        continue;
      }
      const { mimeType, fileId } = block;
      const isTaken = reading.takes(mimeType) || isTextType(mimeType);
      if (!isTaken) blocks.push(toNote(block, 'which this model cannot read'));
      else if (room < 0 || readSize(block) > room) blocks.push(toNote(block, LEFT_OUT));
      else {
        const file = fileId === undefined ? undefined : await readFile(fileId);
        // The bytes count that there are, and also those of a file that is one too many: nothing is read after it.
        room -= file?.data.byteLength ?? 0;
        blocks.push(room < 0 ? toNote(block, LEFT_OUT) : toBlock(block, file));
      }
    }
    resolved.unshift(withBlocks(message, blocks));
  }
  return resolved;
}

/**
 * Returns the messages for a model call with the bytes of their files, for graphs that call their model by themselves. Their agent needs `accepts`.
 *
 * @param config the node's own, by which the run is found
 * @param accepts media types, and ranges of them, that the model takes. Default: all
 */
export async function readFiles(
  messages: readonly BaseMessage[],
  config: RunnableConfig,
  accepts: readonly string[] = ['*/*'],
): Promise<readonly BaseMessage[]> {
  const readFile = getActiveRun(config)?.run.readFile;
  return resolveFiles(messages, { readFile, takes: (mediaType) => isInRanges(accepts, mediaType) });
}

function hasFiles({ content }: BaseMessage): boolean {
  return Array.isArray(content) && content.some(isFileBlock);
}

/** Reads a file that several messages name once. */
function createReader({ readFile }: FileReading): (fileId: string) => Promise<ReadableFile | undefined> {
  const files = new Map<string, ReadableFile | undefined>();
  return async (fileId) => {
    if (!files.has(fileId)) files.set(fileId, await readFile?.(fileId));
    return files.get(fileId);
  };
}

function toBlock(block: FileBlock, file: ReadableFile | undefined): ContentBlock.Standard {
  const { type, mimeType, url, metadata } = block;
  const { filename } = metadata;
  if (url !== undefined) return { type, mimeType, url, metadata: { filename } } as ContentBlock.Standard;
  if (!file) return toNote(block, 'which is no longer kept');
  if (isTextType(mimeType)) return { type: 'text', text: toText(file, filename) };
  const data = Buffer.from(file.data.buffer, file.data.byteOffset, file.data.byteLength).toString('base64');
  return { type, mimeType: toModelType(mimeType), data, metadata: { filename } } as ContentBlock.Standard;
}

/** OpenAI's package knows MP3 by this name only. */
function toModelType(mimeType: string): string {
  return mimeType === 'audio/mpeg' ? 'audio/mp3' : mimeType;
}

function toText({ data }: ReadableFile, filename: string): string {
  const text = new TextDecoder().decode(data);
  return `<file name=${JSON.stringify(filename)}>\n${cutText(text, MAX_TEXT_BYTES)}\n</file>`;
}

function toNote({ mimeType, metadata }: FileBlock, why: string): ContentBlock.Standard {
  return { type: 'text', text: `[file: ${metadata.filename} (${mimeType}), ${why}]` };
}

function withBlocks(message: BaseMessage, content: ContentBlock.Standard[]): BaseMessage {
  const { id, name, additional_kwargs, response_metadata } = message;
  const isPlain = content.every(({ type }) => type === 'text');
  return new HumanMessage({
    content,
    additional_kwargs,
    // Without it, packages take the blocks for those of their own provider.
    response_metadata: { ...response_metadata, ...(!isPlain && { output_version: 'v1' }) },
    ...(id !== undefined && { id }),
    ...(name !== undefined && { name }),
  });
}

import type { MessageContent } from '@langchain/core/messages';
import { AppError } from '../../errors.js';
import type { FileFacts } from '../../events/message-part.js';

type Blocks = Exclude<MessageContent, string>;
export type Block = Blocks[number];

/** A file of a message in a graph's state: LangChain's standard block with an id in place of the bytes. {@link resolveFiles} puts them in. */
export interface FileBlock {
  readonly type: 'image' | 'audio' | 'file';
  readonly mimeType: string;
  readonly fileId?: string;
  readonly url?: string;
  readonly metadata: { readonly filename: string; readonly bytes?: number; readonly [STORED]: true };
}

/** Tells our ids from those of providers, which have files of their own. */
const STORED = 'agent_stream_file';

/** Returns a message's content with its files. They come before the text, as providers advise. */
export function withFiles(content: MessageContent, files: readonly FileFacts[] = []): MessageContent {
  if (files.length === 0) return content;
  const blocks = typeof content === 'string' ? toTextBlocks(content) : content;
  return [...files.map((file) => toFileBlock(file) as unknown as Block), ...blocks];
}

export function isFileBlock(block: unknown): block is FileBlock {
  if (typeof block !== 'object' || block === null || !('metadata' in block)) return false;
  const { metadata } = block;
  return typeof metadata === 'object' && metadata !== null && STORED in metadata;
}

/**
 * Refuses values that have such a block somewhere: only the files of a message make one, which are checked.
 *
 * @throws AppError REQUEST_INVALID
 */
export function refuseFileBlocks(given: unknown): void {
  if (typeof given !== 'object' || given === null) return;
  if (isFileBlock(given))
    throw new AppError(
      'REQUEST_INVALID',
      `input: A block with 'metadata.${STORED}' is not taken. Send the file with the message.`,
    );
  for (const part of Object.values(given)) refuseFileBlocks(part);
}

function toFileBlock({ mediaType, fileId, url, name, bytes }: FileFacts): FileBlock {
  return {
    type: toBlockType(mediaType),
    mimeType: mediaType,
    ...(fileId === undefined ? url !== undefined && { url } : { fileId }),
    metadata: { filename: name ?? 'file', ...(bytes !== undefined && { bytes }), [STORED]: true },
  };
}

function toBlockType(mediaType: string): FileBlock['type'] {
  const [kind] = mediaType.split('/');
  return kind === 'image' || kind === 'audio' ? kind : 'file';
}

function toTextBlocks(text: string): Blocks {
  return text === '' ? [] : [{ type: 'text', text }];
}

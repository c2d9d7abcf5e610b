import type { MessageContent } from '@langchain/core/messages';
import { AppError } from '../../errors.js';
import { splitText } from '../../events/message-order.js';
import type { FileFacts, PlacedFile } from '../../events/message-part.js';

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

/** Returns a message's content with its files, each in its place. */
export function withFiles(content: MessageContent, files: readonly PlacedFile[] = []): MessageContent {
  if (files.length === 0) return content;
  if (typeof content === 'string')
    return splitText(content, files).map((piece) =>
      'text' in piece ? { type: 'text', text: piece.text } : toBlock(piece.file),
    );
  const left = files.toSorted((one, other) => (one.at ?? 0) - (other.at ?? 0));
  const blocks: Block[] = [];
  // The text of the message has a line break between the blocks that have text.
  let place = 0;
  for (const block of content) {
    const text: unknown = 'text' in block ? block.text : undefined;
    if (typeof text === 'string') {
      while (left[0] && (left[0].at ?? 0) <= place) blocks.push(toBlock(left.shift()!));
      place += text.length + 1;
    }
    blocks.push(block);
  }
  return [...blocks, ...left.map(toBlock)];
}

function toBlock(file: PlacedFile): Block {
  return toFileBlock(file) as unknown as Block;
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

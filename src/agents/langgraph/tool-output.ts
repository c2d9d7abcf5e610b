import { ToolMessage } from '@langchain/core/messages';
import type { FileFacts, KeepFile } from '../../events/message-part.js';
import { keepPart, readParts, type FilePart } from './message-parts.js';

/** The output of a tool as people may see it. */
export interface ShownOutput {
  readonly output: unknown;
  readonly files: readonly FileFacts[];
}

/** Returns the output of a tool: the content of a message, or of the messages that come with a Command. Its files are stored elsewhere. */
export function showOutput(output: unknown, keep: KeepFile | undefined): ShownOutput | Promise<ShownOutput> {
  const content = readOutput(output);
  const files = Array.isArray(content) ? content.flatMap(readFiles) : [];
  if (files.length === 0) return { output: content, files: [] };
  return keepFiles(content as readonly unknown[], keep);
}

function readOutput(output: unknown): unknown {
  if (ToolMessage.isInstance(output)) return output.content;
  const { update } = (output ?? {}) as { readonly update?: { readonly messages?: unknown } };
  if (update === undefined) return output;
  const { messages } = update;
  return Array.isArray(messages)
    ? messages.find((message) => ToolMessage.isInstance(message))?.content
    : undefined;
}

function readFiles(block: unknown): FilePart[] {
  return readParts([block]).filter((part): part is FilePart => part.kind === 'file');
}

async function keepFiles(blocks: readonly unknown[], keep: KeepFile | undefined): Promise<ShownOutput> {
  const files: FileFacts[] = [];
  const output: unknown[] = [];
  for (const block of blocks) {
    const [file] = readFiles(block);
    if (!file) {
      output.push(block);
      continue;
    }
    const kept = keep ? await keepPart(file, keep) : undefined;
    const facts: FileFacts = (kept?.kind === 'file' ? kept.facts : undefined) ?? NOT_KEPT;
    files.push(facts);
    output.push({ type: 'file', ...facts });
  }
  return { output, files };
}

const NOT_KEPT: FileFacts = { mediaType: 'application/octet-stream', omitted: 'unreadable' };

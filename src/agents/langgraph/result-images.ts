import { HumanMessage, ToolMessage, type BaseMessage, type MessageContent } from '@langchain/core/messages';
import type { ToolImage } from '../../tools/media-result.js';

type Blocks = Exclude<MessageContent, string>;
type Block = Blocks[number];

/** Writes an image down as LangChain does. */
export function toImageBlock({ mimeType, data }: ToolImage): Block {
  return { type: 'image', mimeType, data };
}

/** Returns the messages as the model can take them: one that sees gets the images in results, any other gets a note. */
export function imagesFor(model: unknown, messages: readonly BaseMessage[]): readonly BaseMessage[] {
  const { profile } = model as { readonly profile?: { readonly imageInputs?: boolean } };
  return profile?.imageInputs
    ? messages
    : changeResults(messages, (block) => (isImage(block) ? toNote(block) : block));
}

/** Returns the messages for an API whose results are words alone: the images follow behind the results, as a person would show them. */
export function imagesBehindResults(messages: readonly BaseMessage[]): BaseMessage[] {
  const placed: BaseMessage[] = [];
  let waiting: Block[] = [];
  const show = () => {
    if (waiting.length === 0) return;
    placed.push(
      new HumanMessage({ content: [{ type: 'text', text: 'The images in the results above:' }, ...waiting] }),
    );
    waiting = [];
  };
  for (const message of messages) {
    if (!ToolMessage.isInstance(message)) show();
    const images = resultBlocks(message).filter(isImage);
    waiting.push(...images.map(toImageUrl));
    placed.push(images.length === 0 ? message : withBlocks(message as ToolMessage, listTexts(message)));
  }
  show();
  return placed;
}

/** Returns the messages for a package that knows images by their older name only, as Ollama's. */
export function imagesAsUrls(messages: readonly BaseMessage[]): BaseMessage[] {
  return messages.map((message) => {
    const { content } = message;
    if (!HumanMessage.isInstance(message) || !Array.isArray(content) || !content.some(isImage))
      return message;
    return new HumanMessage({
      content: content.map((block) => (isImage(block) ? toImageUrl(block) : block)),
    });
  });
}

function changeResults(
  messages: readonly BaseMessage[],
  change: (block: Block) => Block,
): readonly BaseMessage[] {
  return messages.map((message) => {
    const blocks = resultBlocks(message);
    return blocks.some(isImage) ? withBlocks(message as ToolMessage, blocks.map(change)) : message;
  });
}

function resultBlocks(message: BaseMessage): readonly Block[] {
  return ToolMessage.isInstance(message) && Array.isArray(message.content) ? message.content : [];
}

function listTexts(message: BaseMessage): Block[] {
  return resultBlocks(message).filter((block) => !isImage(block));
}

function isImage({ type }: Block): boolean {
  return type === 'image';
}

function toImageUrl({ mimeType, data }: Block): Block {
  return { type: 'image_url', image_url: { url: `data:${String(mimeType)};base64,${String(data)}` } };
}

function toNote({ mimeType }: Block): Block {
  return { type: 'text', text: `[image: ${String(mimeType)}, which this model cannot see]` };
}

function withBlocks(message: ToolMessage, content: Block[]): ToolMessage {
  const { tool_call_id, name, status, id } = message;
  return new ToolMessage({
    tool_call_id,
    content,
    ...(id !== undefined && { id }),
    ...(name !== undefined && { name }),
    ...(status && { status }),
  });
}

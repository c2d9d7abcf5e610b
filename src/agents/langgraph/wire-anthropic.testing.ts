/** A message of an Anthropic Messages request, as it arrives. */
interface AnthropicMessage {
  readonly role: string;
  readonly content?: unknown;
}

interface Block {
  readonly type: string;
  readonly id?: string;
  readonly tool_use_id?: string;
  readonly text?: string;
  readonly thinking?: string;
  readonly signature?: string;
  readonly data?: string;
}

/** Says why Anthropic would refuse a conversation; undefined if it would not. */
export function findAnthropicRefusal(messages: readonly AnthropicMessage[]): string | undefined {
  const ids = new Set<string>();
  let waiting: readonly string[] = [];
  let before = 'assistant';
  for (const [index, message] of messages.entries()) {
    const at = `messages.${index}`;
    if (message.role === before) return `${at}: roles must alternate`;
    const blocks = listBlocks(message);
    if (blocks.length === 0) return `${at}: all messages must have non-empty content`;
    const wrong = blocks.map(wrongBlock).find(Boolean);
    if (wrong) return `${at}: ${wrong}`;
    const answered = blocks.flatMap(({ tool_use_id: id }) => (id === undefined ? [] : [id]));
    if (waiting.some((id) => !answered.includes(id))) return `${at}: tool_use without tool_result`;
    if (answered.some((id) => !waiting.includes(id))) return `${at}: unexpected tool_use_id`;
    waiting = blocks.flatMap(({ type, id }) => (type === 'tool_use' && id !== undefined ? [id] : []));
    if (waiting.some((id) => ids.has(id))) return `${at}: tool_use ids must be unique`;
    waiting.forEach((id) => ids.add(id));
    before = message.role;
  }
  return before === 'user' ? undefined : 'the conversation must end with a user message';
}

function listBlocks({ content }: AnthropicMessage): readonly Block[] {
  if (Array.isArray(content)) return content as Block[];
  return typeof content === 'string' && content !== '' ? [{ type: 'text', text: content }] : [];
}

function wrongBlock(block: Block): string | undefined {
  if (!JSON.stringify(block).isWellFormed()) return 'no low surrogate in string';
  switch (block.type) {
    case 'text':
      return block.text?.trim() ? undefined : 'text content blocks must be non-empty';
    case 'thinking':
      return block.signature ? undefined : 'thinking.signature: Field required';
    case 'redacted_thinking':
      return block.data ? undefined : 'redacted_thinking.data: Field required';
    case 'tool_use':
      return /^[a-zA-Z0-9_-]+$/.test(block.id ?? '') ? undefined : 'tool_use.id';
    case 'tool_result':
    case 'image':
      return undefined;
    default:
      return `${block.type}: Input tag does not match any of the expected tags`;
  }
}

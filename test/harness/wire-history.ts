/** A message of a Chat Completions request, as it arrives. */
export interface WireMessage {
  readonly role: string;
  readonly content?: string | readonly { readonly type: string; readonly text?: string }[] | null;
  readonly tool_calls?: readonly WireCall[];
  readonly tool_call_id?: string;
}

interface WireCall {
  readonly id?: unknown;
  readonly function?: { readonly name?: unknown; readonly arguments?: unknown };
}

/**
 * Says why a provider would refuse a conversation; undefined if none would. The rules of OpenAI and Anthropic, and of the chat templates of
 * Mistral and Gemma, taken together.
 *
 * @param options `mayRepeatRoles`: a person or an assistant may speak twice in a row, as the agents of a team do
 */
export function findRefusal(
  messages: readonly WireMessage[],
  { mayRepeatRoles = false }: { readonly mayRepeatRoles?: boolean } = {},
): string | undefined {
  const ids = new Set<string>();
  let waiting = new Set<string>();
  let before = 'system';
  for (const [index, message] of messages.entries()) {
    const { role } = message;
    const at = `messages[${index}]`;
    if (holdsLoneSurrogate(message)) return `${at}: no low surrogate in string`;
    if (waiting.size > 0 && role !== 'tool') return `${at}: calls ${[...waiting].join()} have no result`;
    if (isBlank(message)) return `${at}: ${role} content must be non-empty`;
    switch (role) {
      case 'system':
        if (before !== 'system') return `${at}: system is not first`;
        break;
      case 'user':
        // Those that see images are asked about them behind the results.
        if (!mayRepeatRoles && before !== 'system' && before !== 'assistant' && !showsImages(message)) {
          return `${at}: unexpected user after ${before}`;
        }
        break;
      case 'assistant': {
        if (!mayRepeatRoles && (before === 'system' || before === 'assistant'))
          return `${at}: unexpected assistant after ${before}`;
        const calls = message.tool_calls ?? [];
        const wrong = calls.map((call) => wrongCall(call, ids)).find(Boolean);
        if (wrong) return `${at}: ${wrong}`;
        waiting = new Set(calls.map(({ id }) => String(id)));
        break;
      }
      case 'tool':
        if (!waiting.delete(String(message.tool_call_id))) {
          return `${at}: tool must follow tool_calls (${message.tool_call_id})`;
        }
        break;
      default:
        return `${at}: unknown role ${role}`;
    }
    before = role;
  }
  if (waiting.size > 0) return `calls ${[...waiting].join()} have no result`;
  return mayRepeatRoles || before === 'user' || before === 'tool' ? undefined : `the last role is ${before}`;
}

function showsImages({ content }: WireMessage): boolean {
  return Array.isArray(content) && content.some(({ type }) => type === 'image_url');
}

function wrongCall({ id, function: called }: WireCall, ids: Set<string>): string | undefined {
  if (typeof id !== 'string' || id === '' || id.length > 64) return `call id ${JSON.stringify(id)}`;
  if (ids.has(id)) return `call id ${id} was used before`;
  ids.add(id);
  if (typeof called?.name !== 'string' || !/^[\w-]{1,64}$/.test(called.name)) {
    return `name ${JSON.stringify(called?.name)}`;
  }
  try {
    const args: unknown = JSON.parse(String(called.arguments));
    if (typeof args !== 'object' || args === null || Array.isArray(args)) return 'arguments are no object';
    return holdsLoneSurrogate(args) ? 'arguments: no low surrogate in string' : undefined;
  } catch {
    return 'arguments are no JSON';
  }
}

function isBlank({ content, role, tool_calls: calls = [] }: WireMessage): boolean {
  if (typeof content !== 'string' && content !== null && content !== undefined) {
    if (content.some(({ type, text }) => type === 'text' && text?.trim() === '')) return true;
    return content.length === 0 && calls.length === 0;
  }
  if (content?.trim()) return false;
  return role !== 'assistant' || calls.length === 0 || Boolean(content);
}

function holdsLoneSurrogate(value: unknown): boolean {
  if (typeof value === 'string') return !value.isWellFormed();
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsLoneSurrogate);
}

import { AIMessage, type BaseMessage } from '@langchain/core/messages';

/** Under this name beside the words of an answer, in the conversation that is stored. */
export const GIVE_BACK = 'give_back';

/**
 * Things that came with an answer and that its provider wants to see again with it, or it refuses the next request. They mean nothing to another
 * provider, and some refuse what they do not know: so they go to the model that gave them, and to no other.
 */
export interface GiveBack {
  /** True if the thoughts came as `reasoning_content`, and go back under that name: DeepSeek, Kimi, MiMo. */
  readonly thoughts?: true;
  /** `reasoning_details` of OpenRouter: thoughts in the form of the provider behind it, signatures among them. */
  readonly details?: readonly unknown[];
  /** By the id of a call: its `extra_content`, in which Gemini has the signature of the thought that led to the call. */
  readonly calls?: Readonly<Record<string, unknown>>;
}

/** Gathers from the deltas of one answer of Chat Completions what has to be given back. */
export class GiveBackCollector {
  private thoughts = false;
  private readonly details: Record<string, unknown>[] = [];
  private readonly calls: Record<string, unknown> = {};

  /** @param idAt the id of the call that has this index */
  hear(delta: Readonly<Record<string, unknown>>, idAt: (index: unknown) => string | undefined): void {
    this.thoughts ||= typeof delta['reasoning_content'] === 'string' && delta['reasoning_content'] !== '';
    for (const piece of asList(delta['reasoning_details'])) this.addDetail(piece);
    for (const { index, extra_content: extra } of asList(delta['tool_calls'])) {
      const id = idAt(index);
      if (id !== undefined && extra !== undefined && extra !== null) this.calls[id] = extra;
    }
  }

  /** Undefined when nothing has to be. */
  get result(): GiveBack | undefined {
    const hasCalls = Object.keys(this.calls).length > 0;
    if (!this.thoughts && this.details.length === 0 && !hasCalls) return undefined;
    return {
      ...(this.thoughts && { thoughts: true }),
      ...(this.details.length > 0 && { details: this.details }),
      ...(hasCalls && { calls: this.calls }),
    };
  }

  /** A detail comes in pieces, which have its index and its type. */
  private addDetail(piece: Record<string, unknown>): void {
    const last = this.details.at(-1);
    const isMore = last && last['type'] === piece['type'] && last['index'] === piece['index'];
    if (!isMore || piece['type'] === 'reasoning.encrypted') {
      this.details.push({ ...piece });
      return;
    }
    for (const [field, value] of Object.entries(piece)) {
      const isText = (field === 'text' || field === 'summary') && typeof value === 'string';
      if (isText) last[field] = `${typeof last[field] === 'string' ? last[field] : ''}${value}`;
      else last[field] = value ?? last[field];
    }
  }
}

/** Returns what stands beside an answer, with the calls in it under the ids that they have now. */
export function renameGivenCalls(
  beside: Record<string, unknown>,
  idNow: (id: string) => string | undefined,
): Record<string, unknown> {
  const given = beside[GIVE_BACK] as (GiveBack & { readonly by: string }) | undefined;
  if (!given?.calls) return beside;
  const calls = Object.entries(given.calls).flatMap(([id, extra]) => {
    const now = idNow(id);
    return now === undefined ? [] : [[now, extra] as const];
  });
  return { ...beside, [GIVE_BACK]: { ...given, calls: Object.fromEntries(calls) } };
}

/** A message of a Chat Completions request, as far as it matters here. */
interface WireAnswer {
  readonly tool_calls?: readonly { readonly id: string }[];
}

/**
 * Returns the messages of a request with everything that this model wants to have back. Only calls are answers that are asked for again: what led
 * to plain words is the past, and some providers refuse it.
 *
 * @param said the conversation that the request was made of
 */
export function giveBack<Wire extends object>(
  wire: readonly Wire[],
  said: readonly BaseMessage[],
  model: string,
): Wire[] {
  const given = new Map<string, { readonly fields: object; readonly extra: unknown }>();
  for (const message of said) {
    if (!AIMessage.isInstance(message)) continue;
    const { [GIVE_BACK]: kept, reasoning_content } = message.additional_kwargs as {
      readonly [GIVE_BACK]?: GiveBack & { readonly by: string };
      readonly reasoning_content?: unknown;
    };
    if (kept?.by !== model) continue;
    const fields = {
      ...(kept.thoughts && { reasoning_content }),
      ...(kept.details && { reasoning_details: kept.details }),
    };
    for (const { id = '' } of message.tool_calls ?? []) given.set(id, { fields, extra: kept.calls?.[id] });
  }
  if (given.size === 0) return [...wire];
  return wire.map((message) => {
    const { tool_calls: calls = [] } = message as WireAnswer;
    const first = given.get(calls[0]?.id ?? '');
    if (!first) return message;
    const tool_calls = calls.map((call) => {
      const extra_content = given.get(call.id)?.extra;
      return extra_content === undefined ? call : { ...call, extra_content };
    });
    return { ...message, ...first.fields, tool_calls };
  });
}

function asList(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value)
    ? value.filter((item): item is Record<string, unknown> => typeof item === 'object' && item !== null)
    : [];
}

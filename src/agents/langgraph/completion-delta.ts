import { LeadingThoughts } from './leading-thoughts.js';

/** One choice of a chunk of Chat Completions, as far as gateways keep to it. */
export interface CompletionChoice {
  delta?: Record<string, unknown> | null;
  message?: Record<string, unknown> | null;
  finish_reason?: string | null;
}

/** Names under which providers send what a model thinks. */
const THOUGHTS = ['reasoning_content', 'reasoning', 'thinking', 'reasoning_text'];

/** Writes the deltas of one answer, one after the other, as OpenAI would have written them. */
export class CompletionDeltas {
  private readonly leading = new LeadingThoughts();
  /** The model refused in words. */
  hasRefused = false;

  /** Takes the delta of a choice, which is put where it belongs. It may be absent, or a whole message. */
  static take(choice: CompletionChoice): Record<string, unknown> {
    const delta = choice.delta ?? choice.message ?? {};
    choice.delta = delta;
    // Only the assistant speaks here, whatever role the gateway gives. A chunk without a role would have no author.
    delta['role'] = 'assistant';
    const { function_call: call } = delta;
    if (call && !delta['tool_calls']) delta['tool_calls'] = [{ index: 0, type: 'function', function: call }];
    return delta;
  }

  /** @param isLast nothing comes after it */
  write(delta: Record<string, unknown>, isLast: boolean): void {
    const said = readContent(delta['content']);
    const refusal = readString(delta['refusal']);
    this.hasRefused ||= refusal !== '';
    const thought = THOUGHTS.map((name) => readString(delta[name])).find((text) => text !== '') ?? '';
    const { text, thoughts } = this.leading.split(said.text + refusal, isLast);
    delta['content'] = text;
    const reasoning = thought + said.thoughts + thoughts;
    if (reasoning !== '') delta['reasoning_content'] = reasoning;
  }

  /** Returns what was held back, when the answer ends without another delta. */
  end(): { readonly text: string; readonly thoughts: string } {
    return this.leading.split('', true);
  }
}

/** A text, or parts of one. Mistral's thoughts are parts with parts of their own. */
function readContent(content: unknown): { readonly text: string; readonly thoughts: string } {
  let text = readString(content);
  let thoughts = '';
  for (const part of Array.isArray(content) ? (content as unknown[]) : []) {
    const { type, text: words, thinking } = (part ?? {}) as Record<string, unknown>;
    if (type === 'thinking') thoughts += readString(thinking) || readContent(thinking).text;
    else text += readString(part) || readString(words);
  }
  return { text, thoughts };
}

function readString(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

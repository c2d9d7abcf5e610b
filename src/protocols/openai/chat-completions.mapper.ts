import type { RecordedEvent } from '../../events/recorded-event.js';
import type { RunEnd, RunEvent } from '../../events/run-event.js';
import type { ProtocolMapper } from '../protocol.mapper.js';

/** What is the same in every chunk of a completion. */
export interface CompletionFacts {
  readonly id: string;
  /** Seconds since the epoch. */
  readonly created: number;
  readonly model: string;
}

export type CompletionChunk = CompletionFacts & {
  readonly object: 'chat.completion.chunk';
  readonly choices: readonly CompletionChoice[];
  readonly usage?: CompletionUsage;
};

export interface CompletionChoice {
  readonly index: 0;
  readonly delta: {
    readonly role?: 'assistant';
    readonly content?: string;
    /** Not OpenAI's, but what other providers call it. */
    readonly reasoning_content?: string;
  };
  readonly finish_reason: 'stop' | null;
}

export interface CompletionUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

/** In the stream, in the place of a chunk: `openai` throws it as an APIError. */
export interface CompletionError {
  readonly error: {
    readonly message: string;
    readonly type: 'server_error';
    readonly code: string;
    readonly param: null;
  };
}

/**
 * A run as a chat completion: its words, and nothing of its tools, because `tool_calls` would ask the client to make them.
 *
 * The protocol has no way to take back words. When a step that has said some is taken back, the completion fails: whoever asks
 * again gets a whole answer, where going on would make one of two halves.
 *
 * @param options `includeUsage`: a last chunk with the tokens
 */
export function createChatCompletionsMapper(
  facts: CompletionFacts,
  options: { readonly includeUsage: boolean },
): ProtocolMapper<CompletionChunk | CompletionError> {
  const said = new Set<string>();
  const asked = new Set<string>();
  let failed = false;

  const chunk = (
    delta: CompletionChoice['delta'],
    finish_reason: CompletionChoice['finish_reason'] = null,
  ): CompletionChunk => ({
    ...facts,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, finish_reason }],
  });

  const ending = ({ outcome, error, usage }: RunEnd): (CompletionChunk | CompletionError)[] => {
    if (outcome === 'failed')
      return [failure(error?.code ?? 'RUN_FAILED', error?.message ?? 'The run failed.')];
    const { inputTokens: prompt_tokens, outputTokens: completion_tokens, totalTokens: total_tokens } = usage;
    const tokens = { prompt_tokens, completion_tokens, total_tokens };
    return [
      chunk({}, 'stop'),
      ...(options.includeUsage
        ? [{ ...facts, object: 'chat.completion.chunk', choices: [], usage: tokens } as const]
        : []),
    ];
  };

  const chunksOf = (event: RunEvent): (CompletionChunk | CompletionError)[] => {
    switch (event.type) {
      case 'run-start':
        return [chunk({ role: 'assistant', content: '' })];
      case 'text-start': {
        const between = said.size > 0;
        said.add(event.stepId);
        return between ? [chunk({ content: '\n\n' })] : [];
      }
      case 'text-delta':
        return [chunk({ content: event.delta })];
      case 'reasoning-delta':
        return [chunk({ reasoning_content: event.delta })];
      case 'approval-request':
        // In a step that is made again it is asked again.
        if (asked.has(event.approvalId)) return [];
        asked.add(event.approvalId);
        return [chunk({ content: `\n\nThis needs an approval: ${event.label}` })];
      case 'step-reset':
        if (!said.has(event.stepId)) return [];
        return [failure('ANSWER_RESTARTED', 'The answer had to begin again. Ask again for all of it.')];
      case 'end':
        return ending(event);
      case 'run-resume':
      case 'step-start':
      case 'step-end':
      case 'text-end':
      case 'reasoning-start':
      case 'reasoning-end':
      case 'tool-start':
      case 'tool-progress':
      case 'tool-end':
      case 'approval-answer':
      case 'usage':
      case 'custom':
        return [];
      default:
        // A newer instance may have recorded what this one does not know.
        event satisfies never;
        return [];
    }
  };

  return ({ event }: RecordedEvent) => {
    if (failed) return [];
    const chunks = chunksOf(event);
    failed = chunks.some((said) => 'error' in said);
    return chunks;
  };
}

function failure(code: string, message: string): CompletionError {
  return { error: { message, type: 'server_error', code, param: null } };
}

import { AppError } from '../../errors.js';
import type { Run } from '../../runs/run.js';
import type {
  CompletionAnnotation,
  CompletionChunk,
  CompletionError,
  CompletionFacts,
  CompletionReason,
  CompletionUsage,
} from './chat-completions.mapper.js';

/** A completion that was not streamed. */
export type Completion = CompletionFacts & {
  readonly object: 'chat.completion';
  readonly choices: readonly [
    {
      readonly index: 0;
      readonly message: {
        readonly role: 'assistant';
        readonly content: string;
        readonly refusal: null;
        readonly annotations?: readonly CompletionAnnotation[];
      };
      readonly finish_reason: CompletionReason;
      readonly logprobs: null;
    },
  ];
  readonly usage: CompletionUsage;
};

export function toCompletionFacts({ id, createdAt, agent }: Run): CompletionFacts {
  return { id: `chatcmpl-${id}`, created: Math.floor(createdAt / 1_000), model: agent };
}

/**
 * The whole completion from its chunks, usage among them.
 *
 * @throws AppError RUN_FAILED with the words of the chunk that says so
 */
export function toCompletion(
  facts: CompletionFacts,
  chunks: readonly (CompletionChunk | CompletionError)[],
): Completion {
  let content = '';
  const annotations: CompletionAnnotation[] = [];
  let finish_reason: CompletionReason = 'stop';
  let usage: CompletionUsage = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };
  for (const chunk of chunks) {
    if ('error' in chunk) throw new AppError('RUN_FAILED', chunk.error.message);
    content += chunk.choices[0]?.delta.content ?? '';
    annotations.push(...(chunk.choices[0]?.delta.annotations ?? []));
    finish_reason = chunk.choices[0]?.finish_reason ?? finish_reason;
    usage = chunk.usage ?? usage;
  }
  const cited = annotations.length > 0 && { annotations };
  const message = { role: 'assistant', content, refusal: null, ...cited } as const;
  return {
    ...facts,
    object: 'chat.completion',
    choices: [{ index: 0, message, finish_reason, logprobs: null }],
    usage,
  };
}

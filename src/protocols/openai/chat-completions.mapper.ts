import { describeRequest } from '../../events/requested-input.js';
import type { RecordedEvent } from '../../events/recorded-event.js';
import type { FinishReason, InputKind, RunEnd, RunEvent, Usage } from '../../events/run-event.js';
import { isInsideCall } from '../../events/subagent.js';
import { toAddressElsewhere, type ToAddress } from '../../events/file-address.js';
import type { ProtocolMapper } from '../protocol.mapper.js';
import { toCitation, toFileText, type UrlCitation } from './openai-files.js';

/** The fields that all chunks of a completion share. */
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
    readonly annotations?: readonly CompletionAnnotation[];
  };
  readonly finish_reason: CompletionReason | null;
}

export interface CompletionAnnotation {
  readonly type: 'url_citation';
  readonly url_citation: UrlCitation;
}

export type CompletionReason = 'stop' | 'length' | 'content_filter';

/** A refusal, and no answer at all, are ends of their own accord here. */
const REASONS: Record<FinishReason, CompletionReason> = {
  length: 'length',
  'content-filter': 'content_filter',
  refusal: 'stop',
  empty: 'stop',
};

/** Introductions of a request, which the description of the input follows. */
const LEADS: Record<InputKind, string> = {
  approval: 'This needs an approval:',
  'client-tool': 'This is for the client to do:',
  interrupt: 'This needs an answer:',
  elicitation: 'This needs an answer:',
};

export interface CompletionUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  /** Absent where nothing was counted. */
  readonly prompt_tokens_details?: { readonly cached_tokens: number };
  readonly completion_tokens_details?: { readonly reasoning_tokens: number };
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
 * The protocol has no way to take back words. When a step that has said some is taken back, the completion fails: a client that asks
 * again gets a whole answer, where going on would make one of two halves.
 *
 * @param options `includeUsage`: a last chunk with the tokens; `toAddress`: finds the address of a file
 */
export function createChatCompletionsMapper(
  facts: CompletionFacts,
  options: { readonly includeUsage: boolean; readonly toAddress?: ToAddress },
): ProtocolMapper<CompletionChunk | CompletionError> {
  const stepsWithText = new Set<string>();
  const askedSteps = new Set<string>();
  /** The parts of agents that a tool calls, for which the API has no word. */
  const calledParts = new Set<string>();
  const { toAddress = toAddressElsewhere } = options;
  let failed = false;
  /** Characters so far. */
  let length = 0;

  const chunk = (
    delta: CompletionChoice['delta'],
    finish_reason: CompletionChoice['finish_reason'] = null,
  ): CompletionChunk => ({
    ...facts,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, finish_reason }],
  });

  const say = (content: string): CompletionChunk => {
    length += content.length;
    return chunk({ content });
  };

  const begin = (stepId: string): CompletionChunk[] => {
    const between = stepsWithText.size > 0;
    stepsWithText.add(stepId);
    return between ? [say('\n\n')] : [];
  };

  const ending = ({ outcome, error, finishReason, usage }: RunEnd): (CompletionChunk | CompletionError)[] => {
    if (outcome === 'failed')
      return [failure(error?.code ?? 'RUN_FAILED', error?.message ?? 'The run failed.')];
    return [
      chunk({}, finishReason ? REASONS[finishReason] : 'stop'),
      ...(options.includeUsage
        ? [
            {
              ...facts,
              object: 'chat.completion.chunk',
              choices: [],
              usage: toCompletionUsage(usage),
            } as const,
          ]
        : []),
    ];
  };

  const toChunks = (event: RunEvent): (CompletionChunk | CompletionError)[] => {
    switch (event.type) {
      case 'run-start':
        return [chunk({ role: 'assistant', content: '' })];
      case 'text-start': {
        if (isInsideCall(event)) {
          calledParts.add(event.partId);
          return [];
        }
        return begin(event.stepId);
      }
      case 'text-delta':
        return calledParts.has(event.partId) ? [] : [say(event.delta)];
      case 'file':
        // The API does not show tools.
        if (isInsideCall(event) || event.toolCallId !== undefined) return [];
        return [...begin(event.stepId), say(toFileText(event, toAddress))];
      case 'source': {
        const citation = isInsideCall(event) ? undefined : toCitation(event, length);
        return citation ? [chunk({ annotations: [{ type: 'url_citation', url_citation: citation }] })] : [];
      }
      case 'reasoning-delta':
        return calledParts.has(event.partId) ? [] : [chunk({ reasoning_content: event.delta })];
      case 'input-request':
        // In a step that is made again it is asked again.
        if (askedSteps.has(event.inputId)) return [];
        askedSteps.add(event.inputId);
        return [say(`\n\n${LEADS[event.kind]} ${describeRequest(event)}`)];
      case 'step-reset':
        if (!stepsWithText.has(event.stepId)) return [];
        return [
          failure(
            'ANSWER_RESTARTED',
            'The answer was started again. Send the request again to get all of it.',
          ),
        ];
      case 'end':
        return ending(event);
      case 'reasoning-start':
        if (isInsideCall(event)) calledParts.add(event.partId);
        return [];
      case 'run-resume':
      case 'step-start':
      case 'step-end':
      case 'text-end':
      case 'reasoning-end':
      case 'tool-start':
      case 'tool-progress':
      case 'tool-end':
      case 'input-answer':
      case 'usage':
      case 'state':
      case 'message-put':
      case 'checkpoint':
      case 'task':
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
    const chunks = toChunks(event);
    failed = chunks.some((stepsWithText) => 'error' in stepsWithText);
    return chunks;
  };
}

function failure(code: string, message: string): CompletionError {
  return { error: { message, type: 'server_error', code, param: null } };
}

function toCompletionUsage(usage: Usage): CompletionUsage {
  const { cachedInputTokens: cached_tokens, reasoningTokens: reasoning_tokens } = usage;
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.totalTokens,
    ...(cached_tokens !== undefined && { prompt_tokens_details: { cached_tokens } }),
    ...(reasoning_tokens !== undefined && { completion_tokens_details: { reasoning_tokens } }),
  };
}

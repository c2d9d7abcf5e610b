/** Tokens, as the model's provider counted them. Its parts are in the totals already, and absent where nothing was counted. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly totalTokens: number;
  /** Of the input: read from the provider's cache. */
  readonly cachedInputTokens?: number;
  /** Of the input: written to the provider's cache. */
  readonly cacheWriteInputTokens?: number;
  /** Of the input: images. */
  readonly imageInputTokens?: number;
  /** Of the output: thoughts. */
  readonly reasoningTokens?: number;
  /** Of the output: images. */
  readonly imageOutputTokens?: number;
  /** Cost, in millionths of the currency of the price table. Absent if nothing that was counted has a price. */
  readonly costMicros?: number;
  /** Tokens of models that the price table does not have. Absent: none, or there is no price table. */
  readonly unpricedTokens?: number;
}

/** The end of one model call, and its tokens; 0 where the provider did not count them. */
export interface UsageReport extends Usage {
  readonly type: 'usage';
  readonly model: string;
  /** The step that made the call. */
  readonly stepId?: string;
  /** From the call to the end of the answer. */
  readonly durationMs?: number;
  /** From the call to the first piece of the answer. Absent if the model does not stream. */
  readonly firstTokenMs?: number;
  /** The call failed. It counts toward no limit, and a graph may make it again. */
  readonly failed?: true;
  /** Absent when the model came to its own end, or called tools. */
  readonly finishReason?: FinishReason;
}

/**
 * Reason why a model stopped before its own end: its maximum length (`length`), its provider holds the answer back
 * (`content-filter`), a refusal (`refusal`), or no text at all (`empty`).
 */
export type FinishReason = 'length' | 'content-filter' | 'refusal' | 'empty';

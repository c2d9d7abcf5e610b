import type { CallbackManagerForLLMRun } from '@langchain/core/callbacks/manager';
import {
  BaseChatModel,
  type BaseChatModelCallOptions,
  type BindToolsInput,
} from '@langchain/core/language_models/chat_models';
import { AIMessageChunk, type BaseMessage } from '@langchain/core/messages';
import { ChatGenerationChunk, type ChatResult } from '@langchain/core/outputs';
import { refuseUnlessStrict, type Strictness } from './strict-input.js';

/**
 * A chat model of a test: it streams as providers do, with the callbacks before each chunk, and gives no other answer. It refuses what the strictest of
 * them refuses.
 */
export abstract class StreamingModel extends BaseChatModel<BaseChatModelCallOptions, AIMessageChunk> {
  constructor(private readonly strictness: Strictness = 'strictest') {
    super({});
  }

  /** Returns the answer to this conversation, piece by piece. @param signal of the call */
  protected abstract speak(
    messages: readonly BaseMessage[],
    signal: AbortSignal | undefined,
  ): AsyncIterable<AIMessageChunk>;

  override bindTools(_tools: BindToolsInput[]): this {
    return this;
  }

  override async _generate(): Promise<ChatResult> {
    throw new Error('This model only streams.');
  }

  override async *_streamResponseChunks(
    messages: BaseMessage[],
    options: this['ParsedCallOptions'],
    runManager?: CallbackManagerForLLMRun,
  ): AsyncGenerator<ChatGenerationChunk> {
    refuseUnlessStrict(messages, this.strictness);
    for await (const message of this.speak(messages, options.signal)) {
      const chunk = new ChatGenerationChunk({ text: message.text, message });
      await runManager?.handleLLMNewToken(chunk.text, undefined, undefined, undefined, undefined, { chunk });
      yield chunk;
    }
  }
}

/** A call as models write it: `args` need not be JSON. */
export interface WrittenCall {
  readonly id: string;
  readonly name: string;
  readonly args: string;
}

/** The piece in which a model makes a call, the `index`th of its message. */
export function callPiece(call: WrittenCall, index: number): AIMessageChunk {
  return new AIMessageChunk({ content: '', tool_call_chunks: [{ ...call, index, type: 'tool_call_chunk' }] });
}

/** The last piece: a token for the question and one for each word. */
export function usagePiece(words: number): AIMessageChunk {
  const usage_metadata = { input_tokens: 1, output_tokens: words, total_tokens: 1 + words };
  return new AIMessageChunk({ content: '', usage_metadata });
}

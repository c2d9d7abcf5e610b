import type { CallbackManagerForLLMRun } from '@langchain/core/callbacks/manager';
import type { BaseLanguageModelInput, ToolDefinition } from '@langchain/core/language_models/base';
import {
  BaseChatModel,
  type BaseChatModelCallOptions,
  type BindToolsInput,
} from '@langchain/core/language_models/chat_models';
import { AIMessage, AIMessageChunk, type BaseMessage, type UsageMetadata } from '@langchain/core/messages';
import { ChatGenerationChunk, type ChatResult } from '@langchain/core/outputs';
import type { Runnable } from '@langchain/core/runnables';
import { convertToOpenAITool } from '@langchain/core/utils/function_calling';
import { pause, splitWords } from './demo-pacing.js';
import { countTokens, reply, type DemoReply } from './demo-reply.js';
import type { BoundTool } from './demo-tools.js';

export interface DemoModelOptions {
  /** Milliseconds between words, so that one can read along. 0: no waiting at all, for tests. Default 28. */
  readonly paceMs?: number;
}

interface DemoCallOptions extends BaseChatModelCallOptions {
  readonly tools?: readonly ToolDefinition[];
}

const MODEL_NAME = 'demo';
export const DEFAULT_PACE_MS = 28;

/**
 * A chat model without a network, a key or knowledge: rules choose among the tools that are bound, and what the tools give
 * is written up in Markdown. It streams as real models do, word by word, tool calls in pieces, usage at the end; the same
 * thread and tools always give the same words and the same tool call ids.
 */
export class DemoModel extends BaseChatModel<DemoCallOptions, AIMessageChunk> {
  readonly #paceMs: number;

  constructor({ paceMs = DEFAULT_PACE_MS }: DemoModelOptions = {}) {
    super({});
    this.#paceMs = paceMs;
  }

  static override lc_name(): string {
    return 'DemoModel';
  }

  override _llmType(): string {
    return MODEL_NAME;
  }

  /** It tells what it was sent, and reads none of it. */
  override get profile() {
    return { imageInputs: true, pdfInputs: true, audioInputs: true };
  }

  /** The names that traces show. */
  override getLsParams(options: this['ParsedCallOptions']) {
    return { ...super.getLsParams(options), ls_provider: MODEL_NAME, ls_model_name: MODEL_NAME };
  }

  override bindTools(
    tools: BindToolsInput[],
    options?: Partial<DemoCallOptions>,
  ): Runnable<BaseLanguageModelInput, AIMessageChunk, DemoCallOptions> {
    return this.withConfig({ ...options, tools: tools.map((tool) => convertToOpenAITool(tool)) });
  }

  /** All at once and without a pace, because it is not streamed. */
  override async _generate(messages: BaseMessage[], options: this['ParsedCallOptions']): Promise<ChatResult> {
    options.signal?.throwIfAborted();
    const answer = reply(messages, boundTools(options));
    const message = new AIMessage({
      content: answer.text,
      tool_calls: answer.toolCalls.map(({ id, name, args }) => ({
        id,
        name,
        args: { ...args },
        type: 'tool_call',
      })),
      usage_metadata: countUsage(messages, answer),
      response_metadata: toFinishReason(answer),
    });
    return { generations: [{ text: answer.text, message }] };
  }

  override async *_streamResponseChunks(
    messages: BaseMessage[],
    options: this['ParsedCallOptions'],
    runManager?: CallbackManagerForLLMRun,
  ): AsyncGenerator<ChatGenerationChunk> {
    const answer = reply(messages, boundTools(options));
    for (const chunk of [...toChunks(answer), lastChunk(messages, answer)]) {
      await pause(this.#paceMs, options.signal);
      // Before the yield, as the providers do: who listens to tokens must not wait for who reads the stream.
      await runManager?.handleLLMNewToken(chunk.text, undefined, undefined, undefined, undefined, { chunk });
      yield chunk;
    }
  }
}

function boundTools({ tools, tool_choice }: Pick<DemoCallOptions, 'tools' | 'tool_choice'>): BoundTool[] {
  if (tool_choice === 'none') return [];
  return (tools ?? []).map(({ function: { name, description, parameters } }) => ({
    name,
    description: description ?? '',
    parameters: parameters as BoundTool['parameters'],
  }));
}

function toChunks(answer: DemoReply): ChatGenerationChunk[] {
  const text = splitWords(answer.text).map(
    (word) => new ChatGenerationChunk({ text: word, message: new AIMessageChunk({ content: word }) }),
  );
  const calls = answer.toolCalls.flatMap(({ id, name, args }, index) => [
    toolCallChunk({ index, id, name, args: '' }),
    ...splitWords(JSON.stringify(args)).map((piece) => toolCallChunk({ index, args: piece })),
  ]);
  return [...text, ...calls];
}

/** Id and name come once, with an empty first piece of the arguments. */
function toolCallChunk(piece: {
  index: number;
  id?: string;
  name?: string;
  args: string;
}): ChatGenerationChunk {
  const message = new AIMessageChunk({
    content: '',
    tool_call_chunks: [{ ...piece, type: 'tool_call_chunk' }],
  });
  return new ChatGenerationChunk({ text: '', message });
}

function lastChunk(messages: readonly BaseMessage[], answer: DemoReply): ChatGenerationChunk {
  const message = new AIMessageChunk({
    content: '',
    usage_metadata: countUsage(messages, answer),
    response_metadata: toFinishReason(answer),
  });
  return new ChatGenerationChunk({ text: '', message });
}

function toFinishReason({ toolCalls }: DemoReply) {
  return { model_name: MODEL_NAME, finish_reason: toolCalls.length > 0 ? 'tool_calls' : 'stop' };
}

/** Words, where a real model counts tokens. */
function countUsage(messages: readonly BaseMessage[], answer: DemoReply): UsageMetadata {
  const input = messages.reduce((sum, message) => sum + countTokens(message.text), 0);
  const output =
    countTokens(answer.text) +
    answer.toolCalls.reduce((sum, { name, args }) => sum + countTokens(`${name} ${JSON.stringify(args)}`), 0);
  return { input_tokens: input, output_tokens: output, total_tokens: input + output };
}

import type { CallbackManagerForLLMRun } from '@langchain/core/callbacks/manager';
import {
  BaseChatModel,
  type BaseChatModelCallOptions,
  type BindToolsInput,
} from '@langchain/core/language_models/chat_models';
import { AIMessage, AIMessageChunk, ToolMessage, type BaseMessage } from '@langchain/core/messages';
import { ChatGenerationChunk, type ChatResult } from '@langchain/core/outputs';

/** What the model does when it is asked: says words, calls tools, waits, breaks off. */
export interface Reply {
  readonly words?: readonly string[];
  /** `args` as the model writes them: not necessarily JSON. */
  readonly calls?: readonly { readonly id: string; readonly name: string; readonly args: string }[];
  /** Awaited after the words; gets the signal of the call. */
  readonly hold?: (signal: AbortSignal | undefined) => Promise<void>;
  /** Thrown after the words. */
  readonly failure?: Error;
}

/**
 * A model that says what a test says, as providers do: a chunk per word, the callbacks before each chunk. Like them it refuses
 * a conversation in which a tool call was never answered.
 */
export class ScriptedModel extends BaseChatModel<BaseChatModelCallOptions, AIMessageChunk> {
  /** The conversations that it was asked about. */
  readonly asked: (readonly BaseMessage[])[] = [];

  constructor(private readonly script: (messages: readonly BaseMessage[], call: number) => Reply) {
    super({});
  }

  override _llmType(): string {
    return 'scripted';
  }

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
    refuseUnanswered(messages);
    this.asked.push(messages);
    const { words = [], calls = [], hold, failure } = this.script(messages, this.asked.length);
    const say = async (message: AIMessageChunk) => {
      const chunk = new ChatGenerationChunk({ text: message.text, message });
      await runManager?.handleLLMNewToken(chunk.text, undefined, undefined, undefined, undefined, { chunk });
      return chunk;
    };
    for (const content of words) yield await say(new AIMessageChunk({ content }));
    await hold?.(options.signal);
    if (failure) throw failure;
    for (const [index, call] of calls.entries()) {
      const piece = { ...call, index, type: 'tool_call_chunk' as const };
      yield await say(new AIMessageChunk({ content: '', tool_call_chunks: [piece] }));
    }
    const usage_metadata = { input_tokens: 1, output_tokens: words.length, total_tokens: 1 + words.length };
    yield await say(new AIMessageChunk({ content: '', usage_metadata }));
  }
}

/** The tool messages after the last message of the model or of a person: what this turn's calls were answered. */
export function answersOf(messages: readonly BaseMessage[]): ToolMessage[] {
  const last = messages.findLastIndex((message) => !ToolMessage.isInstance(message));
  return messages.slice(last + 1).filter((message) => ToolMessage.isInstance(message));
}

function refuseUnanswered(messages: readonly BaseMessage[]): void {
  const answered = new Set(
    messages.map((message) => ToolMessage.isInstance(message) && message.tool_call_id),
  );
  const calls = messages.flatMap((message) =>
    AIMessage.isInstance(message) ? (message.tool_calls ?? []) : [],
  );
  const open = calls.find(({ id = '' }) => !answered.has(id));
  if (open) throw Object.assign(new Error(`Call ${open.id} has no answer.`), { status: 400 });
}

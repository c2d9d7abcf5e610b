import { AIMessage, AIMessageChunk, ToolMessage, type BaseMessage } from '@langchain/core/messages';
import { callPiece, StreamingModel, usagePiece, type WrittenCall } from '../../testing/streaming.model.js';

/** What the model does when it is asked: says words, calls tools, waits, breaks off. */
export interface Reply {
  readonly words?: readonly string[];
  readonly calls?: readonly WrittenCall[];
  /** Awaited after the words; gets the signal of the call. */
  readonly hold?: (signal: AbortSignal | undefined) => Promise<void>;
  /** Thrown after the words. */
  readonly failure?: Error;
}

/**
 * A model that says what a test says, a chunk per word. Like those of providers it refuses a conversation in which a tool call
 * was never answered.
 */
export class ScriptedModel extends StreamingModel {
  /** The conversations that it was asked about. */
  readonly asked: (readonly BaseMessage[])[] = [];

  constructor(private readonly script: (messages: readonly BaseMessage[], call: number) => Reply) {
    super();
  }

  override _llmType(): string {
    return 'scripted';
  }

  protected override async *speak(
    messages: readonly BaseMessage[],
    signal: AbortSignal | undefined,
  ): AsyncGenerator<AIMessageChunk> {
    refuseUnanswered(messages);
    this.asked.push(messages);
    const { words = [], calls = [], hold, failure } = this.script(messages, this.asked.length);
    for (const content of words) yield new AIMessageChunk({ content });
    await hold?.(signal);
    if (failure) throw failure;
    yield* calls.map(callPiece);
    yield usagePiece(words.length);
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

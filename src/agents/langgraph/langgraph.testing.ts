import { AIMessageChunk, ToolMessage, type BaseMessage } from '@langchain/core/messages';
import {
  callPiece,
  StreamingModel,
  usagePiece,
  type WrittenCall,
} from '../../../test/harness/streaming.model.js';

import type { Strictness } from '../../../test/harness/strict-input.js';

/** A script for the model: texts, tool calls, waits, a broken stream. */
export interface ScriptedAnswer {
  readonly chunks?: readonly string[];
  readonly calls?: readonly WrittenCall[];
  /** Awaited after the words; gets the signal of the call. */
  readonly hold?: (signal: AbortSignal | undefined) => Promise<void>;
  /** Thrown after the words. */
  readonly failure?: Error;
}

/** A model that says what a test says, a chunk per word. */
export class ScriptedModel extends StreamingModel {
  /** The conversations that it was asked about. */
  readonly requests: (readonly BaseMessage[])[] = [];

  constructor(
    private readonly script: (messages: readonly BaseMessage[], call: number) => ScriptedAnswer,
    strictness?: Strictness,
  ) {
    super(strictness);
  }

  override _llmType(): string {
    return 'scripted';
  }

  protected override async *speak(
    messages: readonly BaseMessage[],
    signal: AbortSignal | undefined,
  ): AsyncGenerator<AIMessageChunk> {
    this.requests.push(messages);
    const { chunks = [], calls = [], hold, failure } = this.script(messages, this.requests.length);
    for (const content of chunks) yield new AIMessageChunk({ content });
    await hold?.(signal);
    if (failure) throw failure;
    yield* calls.map(callPiece);
    yield usagePiece(chunks.length);
  }
}

/** The tool messages after the last message of the model or of a person: what this turn's calls were answered. */
export function findToolMessages(messages: readonly BaseMessage[]): ToolMessage[] {
  const last = messages.findLastIndex((message) => !ToolMessage.isInstance(message));
  return messages.slice(last + 1).filter((message) => ToolMessage.isInstance(message));
}

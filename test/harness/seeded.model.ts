import { setTimeout as sleep } from 'node:timers/promises';
import { AIMessageChunk, HumanMessage, type BaseMessage } from '@langchain/core/messages';
import { between, randomFrom, toSeed, type Random } from '../../src/testing/random.js';
import { callPiece, StreamingModel, usagePiece } from './streaming.model.js';

export interface SeededModelOptions {
  readonly seed: number;
  /** Number of this life of the server. The same question gets other words in each. */
  readonly attempt: number;
  /** The tools that it calls, all of which take `{ note: string }`. Default: none. */
  readonly tools?: readonly string[];
  /** Maximum time for a word, in milliseconds. Default 20. */
  readonly paceMs?: number;
  /** Now and then it falls silent for so long. Default 0: never. */
  readonly stallMs?: number;
  /** Maximum number of rounds with tools before it answers. Default 2. */
  readonly rounds?: number;
  /** Returns the tools that it calls in this conversation. Default: the seed chooses. */
  readonly choose?: (messages: readonly BaseMessage[]) => readonly string[];
}

/** The output of one call of the model. */
interface Saying {
  readonly words: readonly string[];
  readonly calls: readonly { readonly id: string; readonly name: string }[];
}

/**
 * A chat model that never says the same thing twice: every word carries the call that it was said in, which is another one in
 * each attempt. Words of two attempts in one answer therefore show, wherever they got mixed. It calls tools, several at
 * once, pauses, and falls silent, all as the seed says.
 */
export class SeededModel extends StreamingModel {
  private readonly requestCounts = new Map<string, number>();

  constructor(private readonly plan: SeededModelOptions) {
    super(plan.choose && 'roles may repeat');
  }

  override _llmType(): string {
    return 'seeded';
  }

  protected override async *speak(
    messages: readonly BaseMessage[],
    signal: AbortSignal | undefined,
  ): AsyncGenerator<AIMessageChunk> {
    const question = findQuestion(messages);
    const { random, name } = this.begin(`${question.id}:${messages.length}`);
    const chosen = this.plan.choose?.(messages);
    for (const piece of toPieces(this.think(random, name, question.round, chosen))) {
      await this.pause(random, signal);
      yield piece;
    }
  }

  /** A call is named by the life of the server, the place in the conversation, and how often that was reached in this life. */
  private begin(place: string): { random: Random; name: string } {
    const { seed, attempt } = this.plan;
    const times = (this.requestCounts.get(place) ?? 0) + 1;
    this.requestCounts.set(place, times);
    const number = toSeed(seed, attempt, place, times);
    return { random: randomFrom(number), name: number.toString(36) };
  }

  private think(random: Random, name: string, round: number, chosen?: readonly string[]): Saying {
    const { tools = [], rounds = 2 } = this.plan;
    const uses = chosen ? chosen.length > 0 : round < rounds && tools.length > 0 && random() < 0.7;
    const words = Array.from(
      { length: between(random, 3, uses ? 8 : 40) },
      (_, index) => `${name}.${index} `,
    );
    if (!uses) return { words, calls: [] };
    if (chosen)
      return { words, calls: chosen.map((tool, index) => ({ id: `${name}-${index}`, name: tool })) };
    const calls = Array.from({ length: between(random, 1, 3) }, (_, index) => ({
      id: `${name}-${index}`,
      name: tools[between(random, 0, tools.length - 1)] as string,
    }));
    return { words, calls };
  }

  private async pause(random: Random, signal: AbortSignal | undefined): Promise<void> {
    const { paceMs = 20, stallMs = 0 } = this.plan;
    const stalls = stallMs > 0 && random() < 0.02;
    const ms = stalls ? stallMs : Math.round(random() * paceMs);
    signal?.throwIfAborted();
    if (ms > 0) await sleep(ms, undefined, { signal });
  }
}

/** The person's last message, and how often tools have answered since. */
function findQuestion(messages: readonly BaseMessage[]): { id: string; round: number } {
  const index = messages.findLastIndex((message) => HumanMessage.isInstance(message));
  const later = messages.slice(index + 1);
  return {
    id: messages[index]?.id ?? '',
    round: later.filter((message) => message.type === 'ai').length,
  };
}

function toPieces({ words, calls }: Saying): AIMessageChunk[] {
  const said = words.map((content) => new AIMessageChunk({ content }));
  const called = calls.map((call, index) =>
    callPiece({ ...call, args: JSON.stringify({ note: call.id }) }, index),
  );
  return [...said, ...called, usagePiece(words.length)];
}

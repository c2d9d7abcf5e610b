import { AsyncLocalStorage } from 'node:async_hooks';
import type { ToolContext } from '../agent-tool.js';
import type { QuestionAnswer, ToolQuestion } from '../call-questions.js';
import { FairSlots } from '../workers/fair-slots.js';

/** A call under way, as far as its server's questions need to know it. */
type Asker = Pick<ToolContext, 'signal' | 'ask'>;

/** Time for which a call that was given up may still ask, in milliseconds: its server may go on with it. */
const GIVEN_UP_MS = 5 * 60_000;

/**
 * Finds the call that a server asks about. A question on the stream of a call's own reply belongs to that call. The protocol does not
 * say it of one that comes otherwise, as on standard output: that one belongs to the only call under way, and with several it is
 * refused. From then on the server's calls are made one at a time.
 */
export class McpQuestions {
  private readonly current = new AsyncLocalStorage<Asker>();
  private readonly underWay = new Set<Asker>();
  private readonly turns = new FairSlots({ perKey: 1, maxWaiting: Infinity, maxWaitingPerKey: Infinity });
  private isOneAtATime = false;

  /** @throws the reason of the asker's signal, when that is aborted while the call waits for its turn */
  async during<Result>(asker: Asker, call: () => Promise<Result>): Promise<Result> {
    const release = this.isOneAtATime ? await this.turns.enter('server', asker.signal) : undefined;
    this.underWay.add(asker);
    try {
      const result = await this.current.run(asker, call);
      this.underWay.delete(asker);
      return result;
    } catch (error) {
      if (asker.signal.aborted) setTimeout(() => this.underWay.delete(asker), GIVEN_UP_MS).unref();
      else this.underWay.delete(asker);
      throw error;
    } finally {
      release?.();
    }
  }

  /**
   * Returns the answer, if there is one; otherwise the call ends, and this rejects.
   *
   * @throws Error that tells the server why it gets no answer
   */
  async ask(question: ToolQuestion): Promise<QuestionAnswer> {
    const asker = this.current.getStore() ?? this.findOnly();
    try {
      return await asker.ask(question);
    } catch (error) {
      // What it asked it was told: there is nothing left that it could ask.
      this.underWay.delete(asker);
      throw error;
    }
  }

  private findOnly(): Asker {
    const [only, ...others] = this.underWay;
    if (!only) throw new Error('There is no call that this question could belong to.');
    if (others.length === 0) return only;
    this.isOneAtATime = true;
    throw new Error(
      'Several calls are under way, and the question does not say to which it belongs. Try again.',
    );
  }
}

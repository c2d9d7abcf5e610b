import { correct } from './graph-emit.js';
import type { GraphFact, Namespace } from './graph-fact.js';
import { keepMessages, type KeepWords } from './keep-words.js';
import type { LangGraphMapper } from './langgraph.mapper.js';
import { readMessages, type WrittenMessage } from './message-shape.js';
import { getStepId } from './named-steps.js';
import type { PersonMessages } from './person-messages.js';
import type { SpokenMessages } from './spoken-messages.js';

interface NodeOutputParts {
  readonly spoken: SpokenMessages;
  readonly persons: PersonMessages | undefined;
  readonly mapper: Pick<LangGraphMapper, 'isUnderWay'>;
  readonly keepWords: KeepWords;
  readonly emitFact: (fact: GraphFact) => void | Promise<void>;
  /** True if people may see the messages of a place. */
  readonly isShown: (namespace: Namespace) => boolean;
}

/** Corrects what people see once a node has returned. A node may answer without a model, change its model's text, or remove an earlier message. */
export class NodeOutput {
  private readonly settled = new Set<string>();
  private readonly keeping: Promise<void>[] = [];

  constructor(private readonly parts: NodeOutputParts) {}

  readonly settle = (output: unknown, namespace: Namespace): void | Promise<void> => {
    const { isShown, keepWords, persons } = this.parts;
    this.settled.add(getStepId(namespace));
    if (!isShown(namespace)) return;
    const written = readMessages(output);
    persons?.wrote(written, namespace);
    const kept = keepMessages(written, keepWords);
    if (!(kept instanceof Promise)) return this.correct(kept, namespace);
    const settling = kept.then((messages) => this.correct(messages, namespace));
    this.keeping.push(settling);
    return settling;
  };

  /** True if the step's output is settled: a callback has reported it. */
  isSettled(stepId: string): boolean {
    return this.settled.has(stepId);
  }

  /** Resolves when the files of all nodes are stored and their events emitted. */
  async rest(): Promise<void> {
    await Promise.all(this.keeping);
  }

  private correct(messages: readonly WrittenMessage[], namespace: Namespace): void | Promise<void> {
    const { spoken, mapper, emitFact } = this.parts;
    let waiting: void | Promise<void> = undefined;
    for (const correction of spoken.settle(messages, namespace)) {
      const isLate = !mapper.isUnderWay(getStepId(namespace));
      waiting = correct(correction, { namespace, isLate }, emitFact) ?? waiting;
    }
    return waiting;
  }
}

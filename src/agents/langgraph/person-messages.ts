import { HumanMessage } from '@langchain/core/messages';
import type { Emit } from '../../events/emit.js';
import type { AgentContext } from '../agent.js';
import type { Namespace } from './graph-fact.js';
import type { LangGraphAgentOptions } from './langgraph-agent.options.js';
import { ALL_MESSAGES, readMessages, type WrittenMessage } from './message-shape.js';
import { listSteps } from './named-steps.js';
import type { ThreadMessages } from './thread-state.js';

/** A message in the person's name that a node has returned, and the state does not have so far. */
interface Pending {
  readonly stepId: string;
  readonly id: string | undefined;
  readonly text: string;
}

/**
 * The messages that the nodes of a run's own graph write in the person's name. They are told once the state has them: the reducer makes messages of texts, and
 * gives them their ids.
 */
export class PersonMessages {
  private pending: Pending[] = [];

  /** @param known the ids of the messages that no node has written */
  constructor(
    private readonly emit: Emit,
    private readonly known: Set<unknown>,
  ) {}

  /**
   * Undefined for an agent that shows no such messages. One that holds messages back has nodes that look at them first.
   *
   * @param thread the state with which this owner of the run begins: an earlier one may have finished some of its tasks
   */
  static of(
    { exposeState, holdMessages }: Pick<LangGraphAgentOptions, 'exposeState' | 'holdMessages'>,
    { emit, completedSteps }: Pick<AgentContext, 'emit' | 'completedSteps'>,
    known: Set<unknown>,
    { snapshot }: Pick<ThreadMessages, 'snapshot'>,
  ): PersonMessages | undefined {
    const isShown = typeof exposeState === 'object' ? exposeState.includes('messages') : exposeState;
    if (!isShown || holdMessages) return undefined;
    const persons = new PersonMessages(emit, known);
    for (const { id, name, result } of snapshot?.tasks ?? [])
      if (completedSteps.has(id)) persons.wrote(readMessages(result), `${name}:${id}`);
    return persons;
  }

  /** A node has returned messages. What the model reads instead of all before it, such as a summary, is not for people. */
  wrote(messages: readonly WrittenMessage[], namespace: Namespace): void {
    const [step, inner] = listSteps(namespace);
    if (!step || inner || messages.some(({ type, id }) => type === 'remove' && id === ALL_MESSAGES)) return;
    for (const { type, id, words } of messages) {
      if (type !== 'human' || (id !== undefined && this.known.has(id))) continue;
      this.pending.push({ stepId: step.stepId, id, text: words.text });
    }
  }

  /** The state has these messages. Returns true if people are told of any. */
  reached(messages: unknown): boolean {
    if (this.pending.length === 0) return false;
    const waiting = this.pending;
    this.pending = [];
    let isTold = false;
    for (const message of Array.isArray(messages) ? (messages as unknown[]) : []) {
      if (!HumanMessage.isInstance(message) || message.id === undefined || this.known.has(message.id))
        continue;
      const { id: messageId, text } = message;
      const index = waiting.findIndex((each) =>
        each.id === undefined ? each.text === text : each.id === messageId,
      );
      const [written] = index === -1 ? [] : waiting.splice(index, 1);
      if (!written) continue;
      this.known.add(messageId);
      void this.emit({ type: 'message-put', messageId, role: 'user', text, stepId: written.stepId });
      isTold = true;
    }
    return isTold;
  }
}

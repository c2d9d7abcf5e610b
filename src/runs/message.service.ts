import { AgentRegistry } from '../agents/agent.registry.js';
import type { Agent } from '../agents/agent.js';
import { AppError } from '../errors.js';
import type { Principal } from '../principal.js';
import type { Switches } from '../switches/switches.js';
import { newId } from './run-ids.js';
import { toRunMessageId } from './run-inbox.js';
import type { RunMessage } from './run-messages.js';
import { hasEnded, type Run } from './run.js';
import type { RunHooks } from './run.hooks.js';
import { DEFAULT_START_RULES, type RunService } from './run.service.js';
import type { RunStore } from './run.store.js';
import type { Wakeups } from './wakeups.js';

/** Messages that one run may get while it is under way. */
const MOST_MESSAGES = 20;

export interface MessageServiceOptions {
  /** False if no run takes messages while it is under way. Default true. */
  readonly steering?: boolean;
  readonly maxMessageBytes?: number;
  readonly beforeRun?: RunHooks['beforeRun'];
  /** Default: nothing is switched off. */
  readonly switches?: Pick<Switches, 'refuseRun'>;
}

/** A message to a run, and its id in the conversation. */
export interface GivenMessage extends RunMessage {
  readonly messageId: string;
}

/** Brings messages to runs that are under way, whatever process works on them. */
export class MessageService {
  constructor(
    private readonly service: Pick<RunService, 'get' | 'charge'>,
    private readonly runs: Pick<RunStore, 'changeMessages'>,
    private readonly wakeups: Pick<Wakeups, 'notify'>,
    private readonly agents: Pick<AgentRegistry, 'choose'>,
    private readonly options: MessageServiceOptions = {},
  ) {}

  /** True if runs of the agent take messages while they are under way. */
  mayReach({ isSteerable = false }: Pick<Agent, 'isSteerable'>): boolean {
    return isSteerable && (this.options.steering ?? true);
  }

  /**
   * Stores a message to a run, which takes it before its next step. Durable when it resolves. A message of the same id is there already: it is returned as it is, unless the
   * run has ended without it. A new one takes one start from the principal's budget.
   *
   * @throws AppError NOT_FOUND; RUN_CLOSED if the run takes no messages, and this one has to start a run of its own; REQUEST_INVALID; REQUEST_TOO_LARGE;
   *   AGENT_UNKNOWN; SWITCHED_OFF; RATE_LIMITED; whatever `beforeRun` refuses with
   */
  async add(
    principal: Principal,
    runId: string,
    { id = newId(), text }: { readonly id?: string | undefined; readonly text: string },
  ): Promise<GivenMessage> {
    const run = await this.service.get(principal, runId);
    const earlier = run.messages?.find((message) => message.id === id);
    if (earlier && (earlier.taken || !hasEnded(run))) return toGivenMessage(run, earlier);
    this.checkLength(text);
    const { agent, metadata, threadId } = run;
    const chosen = this.agents.choose(principal, agent);
    const refusal = this.options.switches?.refuseRun({ agent, principal });
    if (refusal) throw refusal;
    if (hasEnded(run)) throw createClosedError('It has ended.');
    if (!this.mayReach(chosen)) throw createClosedError('Its agent takes none, or it is not allowed here.');
    // First: what the host asks about the message may cost more than the message.
    const giveBack = await this.service.charge(principal);
    const request = { principal, threadId, agent, message: text, metadata, steers: runId };
    const { message = text } = (await this.options.beforeRun?.(request)) ?? {};
    const added = await this.store(run, { id, text: message, at: Date.now() }).catch((error: unknown) => {
      giveBack();
      throw error;
    });
    this.wakeups.notify(`control:${runId}`);
    return added;
  }

  /**
   * Withdraws a message that its run has not taken.
   *
   * @throws AppError NOT_FOUND; MESSAGE_TAKEN
   */
  async withdraw(principal: Principal, runId: string, messageId: string): Promise<void> {
    await this.service.get(principal, runId);
    const { outcome } = await this.runs.changeMessages({ kind: 'withdraw', runId, messageId });
    if (outcome === 'taken')
      throw new AppError(
        'MESSAGE_TAKEN',
        'The run has taken the message: it is part of the conversation. Cancel the run instead.',
      );
    if (outcome !== 'changed')
      throw new AppError('NOT_FOUND', `Run '${runId}' has no message '${messageId}'.`);
  }

  private async store(run: Run, message: Omit<RunMessage, 'taken'>): Promise<GivenMessage> {
    const { id: runId } = run;
    const result = await this.runs.changeMessages({
      kind: 'add',
      runId,
      message,
      maxMessages: MOST_MESSAGES,
    });
    switch (result.outcome) {
      case 'changed':
      case 'existing': {
        const stored = result.messages.find(({ id }) => id === message.id);
        return toGivenMessage(run, stored ?? message);
      }
      case 'no-run':
        throw new AppError('NOT_FOUND', `There is no run '${runId}'.`);
      case 'full':
        throw createClosedError(`It has had ${MOST_MESSAGES} messages already.`);
      default:
        throw createClosedError('It has ended, or is about to.');
    }
  }

  private checkLength(text: string): void {
    const { maxMessageBytes: limit = DEFAULT_START_RULES.maxMessageBytes } = this.options;
    if (Buffer.byteLength(text) <= limit) return;
    throw new AppError(
      'REQUEST_TOO_LARGE',
      `The message is longer than ${limit.toLocaleString('en')} bytes. Shorten it.`,
    );
  }
}

function toGivenMessage(run: Run, message: RunMessage): GivenMessage {
  return { ...message, messageId: toRunMessageId(run, message.id) };
}

function createClosedError(why: string): AppError {
  return new AppError(
    'RUN_CLOSED',
    `The run takes no messages. ${why} Send the message to the conversation instead.`,
  );
}

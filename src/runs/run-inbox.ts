import type { MessagePut, RunEvent } from '../events/run-event.js';
import type { Run } from './run.js';
import { hasWaiting, type RunMessage } from './run-messages.js';
import type { RunStore } from './run.store.js';

const ADDED = '-added';

/** Returns the id that a message to a run has in the conversation. It differs from those of all other messages. */
export function toRunMessageId({ messageId }: Pick<Run, 'messageId'>, id: string): string {
  return `${messageId}-${id}${ADDED}`;
}

/** True for the event of a message that a person has sent to the run. */
export function isMessageTo({ messageId }: Pick<Run, 'messageId'>, put: MessagePut): boolean {
  return (
    put.stepId === undefined && put.messageId.startsWith(`${messageId}-`) && put.messageId.endsWith(ADDED)
  );
}

/**
 * The messages to a run as its owner has them. A message that an owner has taken is in the conversation once the log has its event: until then the next owner
 * is given it again.
 */
export class RunInbox {
  /** Those that were not there, or not known to be, when an owner took last. */
  private mayWait: boolean;
  /** The ids of those whose event is in the log. */
  private readonly recorded = new Set<string>();
  /** Those that were taken here, or by owners before. */
  private taken: readonly RunMessage[];
  private readonly hadMessages: boolean;
  private wasAsked = false;
  private taking: Promise<unknown> | undefined;

  constructor(
    private readonly run: Run,
    private readonly runs: RunStore,
  ) {
    const { messages = [] } = run;
    this.mayWait = hasWaiting(messages);
    this.hadMessages = this.mayWait;
    this.taken = messages.filter(({ taken }) => taken);
  }

  /** True if the run has messages whose events are not in its log. */
  get hasMessages(): boolean {
    return this.mayWait || this.unrecorded.length > 0;
  }

  /** True if this owner had messages from its start and its agent has not asked for them: it will not at another time. */
  get wasIgnored(): boolean {
    return this.hadMessages && !this.wasAsked;
  }

  /** Notes an event of the run, also of its earlier owners. */
  note(event: RunEvent): void {
    if (event.type === 'message-put') this.recorded.add(event.messageId);
  }

  /** A message may have come. */
  wake(): void {
    this.mayWait = true;
  }

  /** Takes all messages whose events are not in the log, as these events. From here on no message can be withdrawn. */
  async take(): Promise<readonly MessagePut[]> {
    if (this.mayWait) this.taking = this.takeAll().finally(() => (this.taking = undefined));
    await this.taking;
    this.wasAsked = true;
    return this.unrecorded.map(({ id, text }) => ({
      type: 'message-put',
      messageId: toRunMessageId(this.run, id),
      role: 'user',
      text,
    }));
  }

  /** Gives back what was taken and is in no event, because the run ends without it: its client has to learn that. Costs nothing if there is none. */
  leave(): Promise<unknown> | undefined {
    if (this.taking === undefined && this.unrecorded.length === 0) return undefined;
    return this.leaveAll();
  }

  private async takeAll(): Promise<void> {
    this.mayWait = false;
    const { id: runId, epoch } = this.run;
    try {
      const result = await this.runs.changeMessages({ kind: 'take', runId, epoch });
      if (result.outcome === 'changed') this.taken = result.messages.filter(({ taken }) => taken);
    } catch (error) {
      this.mayWait = true;
      throw error;
    }
  }

  private async leaveAll(): Promise<void> {
    // It may be under way while its agent is stopped, and may have failed.
    await this.taking?.catch(() => undefined);
    const messageIds = this.unrecorded.map(({ id }) => id);
    if (messageIds.length === 0) return;
    const { id: runId, epoch } = this.run;
    const result = await this.runs.changeMessages({ kind: 'leave', runId, epoch, messageIds });
    if (result.outcome === 'changed') this.taken = result.messages.filter(({ taken }) => taken);
  }

  private get unrecorded(): readonly RunMessage[] {
    return this.taken.filter(({ id }) => !this.recorded.has(toRunMessageId(this.run, id)));
  }
}

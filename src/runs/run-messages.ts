import type { RunOwnership } from './run.store.js';

/** A person's message to a run that is under way. The run's log says where it entered the conversation. */
export interface RunMessage {
  /** Chosen by its client: one id of a run is one message. */
  readonly id: string;
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** True once an owner of the run has taken it: it cannot be withdrawn any more. Absent: it waits. */
  readonly taken?: true;
  /** True if its run ends without it: an owner took it, or should have, and it is in no event. It waits no more, and is its client's again. */
  readonly left?: true;
}

/** A change of the messages of one run. */
export type MessagesChange =
  | {
      readonly kind: 'add';
      readonly runId: string;
      readonly message: Pick<RunMessage, 'id' | 'text' | 'at'>;
      /** Maximum messages of the run, with this one and those that were taken. */
      readonly maxMessages: number;
    }
  | { readonly kind: 'withdraw'; readonly runId: string; readonly messageId: string }
  /** Takes all that wait. */
  | ({ readonly kind: 'take' } & RunOwnership)
  /** Gives messages back that were taken, because the run ends without them. */
  | ({ readonly kind: 'leave'; readonly messageIds: readonly string[] } & RunOwnership);

export type MessagesOutcome =
  | 'changed'
  /** The message was added before. */
  | 'existing'
  /** The run has ended, or its end was asked for. */
  | 'closed'
  | 'full'
  /** There is no such message. */
  | 'unknown'
  /** The message was taken, and cannot be withdrawn. */
  | 'taken'
  /** Another owner has the run. */
  | 'fenced';

/** The messages of the run after a change. */
export type MessagesResult =
  | { readonly outcome: MessagesOutcome; readonly messages: readonly RunMessage[] }
  | { readonly outcome: 'no-run' };

/** A run as it stands in the step that changes its messages. */
interface ChangedRun {
  /** True if it can take messages: it has not ended, and its end was not asked for. */
  readonly isOpen: boolean;
  /** The owner that may take them. Absent: none. */
  readonly epoch: number | undefined;
  readonly messages: readonly RunMessage[];
}

/** Decides what a change does. Pure: only `changed` has something to store. */
export function changeRunMessages(
  change: MessagesChange,
  { isOpen, epoch, messages }: ChangedRun,
): Exclude<MessagesResult, { readonly outcome: 'no-run' }> {
  const unchanged = (outcome: MessagesOutcome) => ({ outcome, messages });
  switch (change.kind) {
    case 'add': {
      const { message, maxMessages } = change;
      const earlier = messages.find(({ id }) => id === message.id);
      // A repeated request learns what the first one got, also when the run has ended meanwhile.
      if (earlier) return unchanged('existing');
      if (!isOpen) return unchanged('closed');
      if (messages.length >= maxMessages) return unchanged('full');
      const { id, text, at } = message;
      return { outcome: 'changed', messages: [...messages, { id, text, at }] };
    }
    case 'withdraw': {
      const asked = messages.find(({ id }) => id === change.messageId);
      if (!asked) return unchanged('unknown');
      if (asked.taken) return unchanged('taken');
      return { outcome: 'changed', messages: messages.filter((each) => each !== asked) };
    }
    case 'take':
      if (change.epoch !== epoch) return unchanged('fenced');
      return {
        outcome: 'changed',
        messages: messages.map((each) => (each.left ? each : { ...each, taken: true })),
      };
    case 'leave':
      if (change.epoch !== epoch) return unchanged('fenced');
      return {
        outcome: 'changed',
        messages: messages.map((each) => {
          const { id, text, at } = each;
          return change.messageIds.includes(id) ? { id, text, at, left: true } : each;
        }),
      };
    default:
      return change satisfies never;
  }
}

/** True if one of them is still to be taken. */
export function hasWaiting(messages: readonly RunMessage[] = []): boolean {
  return messages.some(({ taken, left }) => !taken && !left);
}

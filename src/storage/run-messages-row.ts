import {
  changeRunMessages,
  hasWaiting,
  type MessagesChange,
  type MessagesResult,
  type RunMessage,
} from '../runs/run-messages.ts';

/** The columns that a change of a run's messages reads. */
export interface MessagesRow {
  readonly messages: string | null;
  /** 0 or 1 if the database has no booleans. */
  readonly cancel_requested: boolean | number;
  readonly epoch: number;
  readonly ended_at: number | null;
}

/** Decides what a change of the messages does to a run's row. Without `columns`, nothing. */
export function planMessages(
  change: MessagesChange,
  row: MessagesRow,
): {
  readonly result: MessagesResult;
  readonly columns?: { readonly messages: string | null; readonly waits: boolean };
} {
  const isEnded = row.ended_at !== null;
  const result = changeRunMessages(change, {
    isOpen: !isEnded && !row.cancel_requested,
    epoch: isEnded ? undefined : row.epoch,
    messages: row.messages === null ? [] : (JSON.parse(row.messages) as RunMessage[]),
  });
  if (result.outcome !== 'changed') return { result };
  const { messages } = result;
  return {
    result,
    columns: {
      messages: messages.length > 0 ? JSON.stringify(messages) : null,
      waits: hasWaiting(messages),
    },
  };
}

import { hasEnded } from '../../runs/run.js';
import { changeRunMessages, type MessagesChange, type MessagesResult } from '../../runs/run-messages.js';
import type { MemoryRecords } from './memory-records.js';

/** Changes the messages of a run. */
export function changeMessages(records: MemoryRecords, change: MessagesChange): MessagesResult {
  const record = records.runs.get(change.runId);
  if (!record) return { outcome: 'no-run' };
  const { run } = record;
  const isEnded = hasEnded(run);
  const result = changeRunMessages(change, {
    isOpen: !isEnded && !run.cancelRequested,
    epoch: isEnded ? undefined : run.epoch,
    messages: run.messages ?? [],
  });
  if (result.outcome !== 'changed') return result;
  const { messages: _, ...rest } = run;
  record.run = { ...rest, ...(result.messages.length > 0 && { messages: result.messages }) };
  return result;
}

import type { Feedback, FeedbackRequest } from '../../runs/feedback.js';
import type { ListedRun, Run } from '../../runs/run.js';
import type { Page } from '../../runs/run.store.js';
import { findFeedbackScope } from '../feedback-page.js';
import { toPage } from '../page-cursor.js';
import { toListed } from './memory-run-lists.js';
import type { MemoryRecords } from './memory-records.js';

export function setFeedback(
  records: MemoryRecords,
  runId: string,
  feedback: Feedback | undefined,
): Run | undefined {
  const record = records.runs.get(runId);
  if (!record) return undefined;
  const { feedback: _, ...run } = record.run;
  record.run = { ...run, ...(feedback && { feedback: { ...feedback } }) };
  return records.withContinuation(record);
}

export function listFeedback(records: MemoryRecords, page: FeedbackRequest): Page<ListedRun> {
  const { tenant } = page;
  const { at, ordinal, before } = findFeedbackScope(page);
  const rows = Array.from(records.runs.values(), (record) => ({
    record,
    ordinal: record.ordinal,
    at: record.run.feedback?.at ?? -1,
  }))
    .filter((row) => row.at >= 0 && (tenant === undefined || row.record.run.principal.tenant === tenant))
    .filter((row) => (row.at > at || (row.at === at && row.ordinal > ordinal)) && row.at < before)
    .sort((one, other) => one.at - other.at || one.ordinal - other.ordinal);
  return toPage(rows, page, {
    getKeys: (row) => [row.at, row.ordinal],
    toItem: ({ record }) => toListed(records, records.withContinuation(record)),
  });
}

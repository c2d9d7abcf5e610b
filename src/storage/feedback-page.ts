import type { FeedbackRequest } from '../runs/feedback.js';
import { keysAfter } from './page-cursor.ts';

/** The place after which a page of feedback begins, and the time at which it ends. */
export interface FeedbackScope {
  readonly at: number;
  readonly ordinal: number;
  readonly before: number;
}

/** Reads where a page begins: behind its cursor, or at its first moment. */
export function findFeedbackScope(page: FeedbackRequest): FeedbackScope {
  const { since = 0, before = Number.MAX_SAFE_INTEGER } = page;
  const [at = since, ordinal = 0] = keysAfter(page, 2) ?? [];
  return { at, ordinal, before };
}

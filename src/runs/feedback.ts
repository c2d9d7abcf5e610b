import type { PageRequest } from './run.store.js';

/** Maximum length of the words of feedback, in UTF-16 code units. */
export const FEEDBACK_CHARACTERS = 2_000;

export const RATINGS = ['up', 'down'] as const;
export type Rating = (typeof RATINGS)[number];

/** Judgement on an answer by the person who asked. */
export interface GivenFeedback {
  readonly rating: Rating;
  /** At most {@link FEEDBACK_CHARACTERS}. */
  readonly comment?: string;
}

export interface Feedback extends GivenFeedback {
  /** Time of the last change, in milliseconds since 1970. */
  readonly at: number;
}

/** A page of runs with feedback, in the order of its last change, the oldest first. */
export interface FeedbackRequest extends PageRequest {
  /** Absent: of all tenants. */
  readonly tenant?: string;
  /** Changed at this moment or later, in milliseconds since 1970. */
  readonly since?: number;
  /** Changed earlier than this moment, in milliseconds since 1970. */
  readonly before?: number;
}

import { z } from 'zod';
import { FEEDBACK_CHARACTERS, RATINGS } from '../runs/feedback.js';

const ratingSchema = z.enum(RATINGS);

/** Feedback as a person gives it. */
export const givenFeedbackSchema = z
  .strictObject({
    rating: ratingSchema,
    comment: z
      .string()
      .max(FEEDBACK_CHARACTERS)
      .optional()
      .meta({ description: 'Words for those who run the service. Not read by the agent.' }),
  })
  .meta({ id: 'GivenFeedback' });
export type GivenFeedbackDto = z.output<typeof givenFeedbackSchema>;

export const feedbackSchema = z
  .object({
    rating: ratingSchema,
    comment: z.string().optional(),
    at: z.int().meta({ description: 'Time of the last change, in milliseconds since the epoch.' }),
  })
  .meta({ id: 'Feedback', description: 'Judgement on an answer by the person who asked.' });

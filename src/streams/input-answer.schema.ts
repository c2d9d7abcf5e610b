import { z } from 'zod';
import type { InputAnswer } from '../events/requested-input.js';

/** Body of `POST /api/chat/runs/:runId/inputs/:inputId`. */
export const answerSchema = z
  .discriminatedUnion('decision', [
    z.strictObject({ decision: z.literal('approve') }),
    z.strictObject({
      decision: z.literal('edit'),
      input: z
        .record(z.string(), z.unknown())
        .meta({ description: "The arguments to use, all of them, in place of the model's." }),
    }),
    z.strictObject({
      decision: z.literal('deny'),
      reason: z.string().max(1000).optional().meta({ description: 'The model reads it.' }),
    }),
    z.strictObject({
      decision: z.literal('answer'),
      value: z
        .unknown()
        .refine((value) => value !== undefined, 'is missing')
        .meta({ description: 'The answer to a question that is not an approval. Any JSON value.' }),
    }),
  ])
  .meta({ id: 'InputAnswer' });
export type DecisionDto = z.output<typeof answerSchema>;

// What is parsed is what the service takes.
true satisfies DecisionDto extends { decision: InputAnswer['decision'] } ? true : never;

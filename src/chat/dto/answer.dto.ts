import { z } from 'zod';
import type { ApprovalAnswer } from '../../events/approval.js';

/** What `POST /api/chat/runs/:runId/approvals/:approvalId` takes. */
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
  ])
  .meta({ id: 'ApprovalAnswer' });
export type AnswerDto = z.output<typeof answerSchema>;

// What is parsed is what the service takes.
true satisfies AnswerDto extends { decision: ApprovalAnswer['decision'] } ? true : never;

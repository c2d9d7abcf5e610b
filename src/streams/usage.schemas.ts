import { z } from 'zod';

export const usageFields = {
  inputTokens: z.int().nonnegative(),
  outputTokens: z.int().nonnegative(),
  totalTokens: z.int().nonnegative(),
  cachedInputTokens: z.int().nonnegative().optional(),
  cacheWriteInputTokens: z.int().nonnegative().optional(),
  imageInputTokens: z.int().nonnegative().optional(),
  reasoningTokens: z.int().nonnegative().optional(),
  imageOutputTokens: z.int().nonnegative().optional(),
  costMicros: z.int().nonnegative().optional().meta({
    description:
      'In millionths of the currency of the price table. Absent if nothing that was counted has a price.',
  }),
  unpricedTokens: z.int().nonnegative().optional().meta({
    description: 'Tokens of models that the price table does not have.',
  }),
};
export const usageSchema = z.object(usageFields).meta({ id: 'Usage' });

export const publicErrorSchema = z
  .object({
    code: z.string(),
    message: z.string(),
    retryable: z.boolean(),
    name: z.string().optional().meta({
      description:
        "The name of an error of the agent's own code, whose message this is. Only of an agent that shows its errors.",
    }),
  })
  .meta({ id: 'PublicError', description: 'A stable code and a sentence that may be shown.' });

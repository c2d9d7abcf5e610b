import { z } from 'zod';

const time = z.int().meta({ description: 'Milliseconds since the epoch.' });

const common = {
  inputId: z.string(),
  stepId: z.string(),
  expiresAt: time.optional().meta({ description: 'When it counts as denied.' }),
};
const call = {
  toolCallId: z.string(),
  toolName: z.string(),
  label: z.string(),
  input: z.unknown().meta({ description: 'The arguments, as far as the tool shows them.' }),
};
const jsonSchema = z.record(z.string(), z.unknown()).meta({ description: 'JSON Schema of the answer.' });

/** Schemas of the inputs that a run may request, by kind. */
const kinds = {
  approval: {
    kind: z.literal('approval'),
    ...common,
    ...call,
    schema: z.record(z.string(), z.unknown()).optional().meta({
      description:
        'JSON Schema of the arguments. Absent if it is large, or if the tool shows only a part of them.',
    }),
    reason: z.string().optional().meta({ description: 'Why a person has to decide on this call.' }),
  },
  interrupt: {
    kind: z.literal('interrupt'),
    ...common,
    value: z.unknown().meta({ description: 'What the graph asks with.' }),
    schema: jsonSchema.optional(),
  },
  clientTool: { kind: z.literal('client-tool'), ...common, ...call },
  elicitation: {
    kind: z.literal('elicitation'),
    ...common,
    toolCallId: z.string(),
    toolName: z.string(),
    message: z.string(),
    schema: jsonSchema,
  },
};

const event = { type: z.literal('input-request'), at: z.int().optional() };

/** The event `input-request`. */
export const inputRequestSchema = z
  .discriminatedUnion('kind', [
    z.object({ ...kinds.approval, ...event }).meta({ id: 'ApprovalRequest' }),
    z.object({ ...kinds.interrupt, ...event }).meta({ id: 'InterruptRequest' }),
    z.object({ ...kinds.clientTool, ...event }).meta({ id: 'ClientToolRequest' }),
    z.object({ ...kinds.elicitation, ...event }).meta({ id: 'ElicitationRequest' }),
  ])
  .meta({ id: 'InputRequestEvent' });

const given = { by: z.string().meta({ description: "A user id, or 'expiry'." }), at: time };
const answer = z
  .discriminatedUnion('decision', [
    z.object({
      decision: z.enum(['approve', 'edit', 'deny']),
      input: z.unknown().optional(),
      reason: z.string().optional(),
      ...given,
    }),
    z.object({ decision: z.literal('answer'), value: z.unknown(), ...given }),
  ])
  .optional()
  .meta({ description: 'Absent while there is none.' });

/** Something that a run has stopped for, in its record. */
export const requestedInputSchema = z
  .discriminatedUnion('kind', [
    z.object({ ...kinds.approval, answer }).meta({ id: 'RequestedApproval' }),
    z.object({ ...kinds.interrupt, answer }).meta({ id: 'RequestedInterrupt' }),
    z.object({ ...kinds.clientTool, answer }).meta({ id: 'RequestedClientTool' }),
    z.object({ ...kinds.elicitation, answer }).meta({ id: 'RequestedElicitation' }),
  ])
  .meta({ id: 'RequestedInput' });

/** The same in its thread, which says whose it is. */
export const openInputSchema = z
  .intersection(requestedInputSchema, z.object({ runId: z.string() }))
  .meta({ id: 'OpenInput' });

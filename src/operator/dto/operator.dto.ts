import { z } from 'zod';

const name = z.string().min(1).max(256);
const time = z.int().meta({ description: 'Milliseconds since the epoch.' });

const targets = [
  z.object({ kind: z.enum(['agent', 'tool']), name }).meta({ id: 'NamedTarget' }),
  z.object({ kind: z.literal('user'), tenant: name, userId: name }).meta({ id: 'UserTarget' }),
  z.object({ kind: z.literal('tenant'), tenant: name }).meta({ id: 'TenantTarget' }),
] as const;
const targetSchema = z.union(targets).meta({ id: 'SwitchTarget' });

export const switchSchema = z
  .object({
    target: targetSchema,
    reason: z.string().max(1_000).optional().meta({
      description: 'For operators and the security log. Never shown to callers who are switched off.',
    }),
  })
  .meta({ id: 'Switch' });
export type SwitchDto = z.output<typeof switchSchema>;

export const switchedOffSchema = z
  .object({
    target: targetSchema,
    at: time,
    by: z.object({ tenant: z.string(), userId: z.string() }).optional(),
    reason: z.string().optional(),
    isKnown: z.boolean().optional().meta({
      description: 'False when this process has no agent or tool of that name: check how it is written.',
    }),
  })
  .meta({ id: 'SwitchedOff' });
export type SwitchedOffDto = z.output<typeof switchedOffSchema>;

export const switchedOffListSchema = z
  .object({ items: z.array(switchedOffSchema) })
  .meta({ id: 'SwitchedOffList' });
export type SwitchedOffListDto = z.output<typeof switchedOffListSchema>;

const mcpToolFields = {
  server: z.string(),
  tool: z.string().meta({ description: "By the server's own name for it." }),
  hash: z.string(),
  at: time,
  shown: z
    .object({ description: z.string().optional(), inputSchema: z.string() })
    .meta({ description: 'What the server says of it: words of strangers, shortened.' }),
};

export const mcpToolsSchema = z
  .object({
    pinned: z.array(
      z.object({
        ...mcpToolFields,
        by: z
          .object({ tenant: z.string(), userId: z.string() })
          .optional()
          .meta({ description: 'Who accepted it. Absent: it was there first, or the configuration has it.' }),
      }),
    ),
    refused: z.array(z.object({ ...mcpToolFields, why: z.enum(['changed', 'new', 'not-listed']) })),
  })
  .meta({ id: 'McpTools' });
export type McpToolsDto = z.output<typeof mcpToolsSchema>;

export const acceptMcpToolSchema = z
  .object({ server: name, tool: z.string().min(1).max(1_000), hash: z.string().min(1).max(100) })
  .meta({ id: 'AcceptMcpTool' });
export type AcceptMcpToolDto = z.output<typeof acceptMcpToolSchema>;

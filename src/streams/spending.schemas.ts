import { z } from 'zod';
import type { AskedSpending } from '../runs/spending.service.js';
import type { Spending } from '../runs/spending.js';
import { usageSchema } from './usage.schemas.js';

const month = z
  .string()
  .regex(/^\d{4}-(0[1-9]|1[0-2])$/, { error: 'Write a month as 2026-11' })
  .optional();

const queryFields = {
  agent: z.string().min(1).max(64).optional(),
  from: month.meta({ description: 'The first month, as 2026-11, in UTC.' }),
  to: month.meta({ description: 'The last month.' }),
};

const group = z.enum(['month', 'agent']);
export const spendingQuerySchema = z
  .object({
    by: z
      .union([group, z.array(group).max(2)])
      .optional()
      .meta({ description: 'Divides the sum. May be given several times.' }),
    ...queryFields,
  })
  .meta({ id: 'SpendingQuery' });
export type SpendingQueryDto = z.output<typeof spendingQuerySchema>;

const name = z.string().min(1).max(256).optional();
const anyGroup = z.enum(['month', 'tenant', 'user', 'agent']);
export const operatorSpendingQuerySchema = z
  .object({
    by: z
      .union([anyGroup, z.array(anyGroup).max(4)])
      .optional()
      .meta({ description: 'Divides the sum. May be given several times.' }),
    tenant: name,
    userId: name.meta({ description: 'Needs `tenant`, unless you see one tenant only.' }),
    ...queryFields,
  })
  .meta({ id: 'OperatorSpendingQuery' });
export type OperatorSpendingQueryDto = z.output<typeof operatorSpendingQuerySchema>;

const currency = z.string().meta({ description: 'Costs are in millionths of it.' });

export const spendingSchema = z
  .object({
    currency,
    items: z.array(
      z.object({
        month: z.string().optional(),
        tenant: z.string().optional(),
        userId: z.string().optional(),
        agent: z.string().optional(),
        runs: z.int(),
        usage: usageSchema,
      }),
    ),
  })
  .meta({ id: 'Spending', description: 'The dearest first, at most 1,000.' });
export interface SpendingDto {
  readonly currency: string;
  readonly items: readonly Spending[];
}

export const threadUsageSchema = z
  .object({
    currency,
    usage: usageSchema.optional().meta({ description: 'Of its ended runs. Absent if there are none.' }),
  })
  .meta({ id: 'ThreadUsage' });
export type ThreadUsageDto = z.output<typeof threadUsageSchema>;

/** Returns what a query asks for. */
export function readSpendingQuery({ by = [], ...filter }: OperatorSpendingQueryDto): AskedSpending {
  const given = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
  return { ...given, by: [by].flat() };
}

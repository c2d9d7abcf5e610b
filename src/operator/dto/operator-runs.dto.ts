import { z } from 'zod';
import type { InstanceState } from '../../instance/drain.service.js';
import type { ListedRun } from '../../runs/run.js';
import {
  listedRunFields,
  nextCursorSchema,
  runQuerySchema,
  toListedFields,
} from '../../streams/run-list.schemas.js';

const name = z.string().min(1).max(256);

export const operatorRunSchema = z
  .object({
    ...listedRunFields,
    tenant: z.string(),
    userId: z.string(),
    deaths: z.int().optional().meta({ description: 'Owners that died with the run in hand. Absent: none.' }),
  })
  .meta({ id: 'OperatorRun', description: 'A run without a word of what was said in it.' });
export type OperatorRunDto = z.output<typeof operatorRunSchema>;

export const operatorRunPageSchema = z
  .object({ items: z.array(operatorRunSchema), nextCursor: nextCursorSchema })
  .meta({
    id: 'OperatorRunPage',
    description: 'A page may have fewer runs than its limit, and another after it.',
  });
export type OperatorRunPageDto = z.output<typeof operatorRunPageSchema>;

export const operatorRunQuerySchema = runQuerySchema
  .extend({
    tenant: name.optional(),
    userId: name.optional().meta({ description: 'Needs `tenant`, unless you see one tenant only.' }),
  })
  .meta({ id: 'OperatorRunQuery' });
export type OperatorRunQueryDto = z.output<typeof operatorRunQuerySchema>;

const instanceSchema = z
  .object({
    name: z
      .string()
      .meta({ description: 'The name of the machine, which in a container is that of the pod.' }),
    status: z.enum(['working', 'draining']),
    runs: z.int().meta({ description: 'Runs that it owns now.' }),
    maxRuns: z.int(),
    streams: z.int(),
  })
  .meta({ id: 'Instance', description: 'The process that replied.' });

export const queueSchema = z
  .object({
    pending: z
      .int()
      .meta({ description: 'Runs that wait, for a slot or for an earlier run of their thread.' }),
    running: z.int().meta({ description: 'Runs at work, on all instances.' }),
    oldestPendingAt: z
      .int()
      .optional()
      .meta({ description: 'Milliseconds since the epoch. Absent: none waits.' }),
    instance: instanceSchema,
  })
  .meta({ id: 'Queue' });
export type QueueDto = z.output<typeof queueSchema>;

export const drainingSchema = z.object({ instance: instanceSchema }).meta({ id: 'Draining' });
export interface DrainingDto {
  readonly instance: InstanceState;
}

/** Returns a run as operators see it. */
export function toOperatorRunDto(run: ListedRun): OperatorRunDto {
  const { tenant, userId } = run.principal;
  return { ...toListedFields(run), tenant, userId, ...(run.deaths !== undefined && { deaths: run.deaths }) };
}

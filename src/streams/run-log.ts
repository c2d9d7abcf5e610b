import { z } from 'zod';
import type { RunEvent } from '../events/run-event.js';
import type { EventLog } from '../runs/event-log.js';
import { readLogPart } from '../runs/read-log.js';
import type { Run } from '../runs/run.js';
import { toListedFields } from './run-list.schemas.js';

/** Bytes of events after which a reply ends: what it holds is in memory. The client asks for the rest. */
const ENOUGH_BYTES = 4 * 1024 * 1024;

export const runLogQuerySchema = z
  .object({
    after: z.coerce
      .number()
      .int()
      .min(0)
      .default(0)
      .meta({ description: 'The seq of the last event that you have. Default: none.' }),
  })
  .meta({ id: 'RunLogQuery' });
export type RunLogQueryDto = z.output<typeof runLogQuerySchema>;

/**
 * Returns a run's log as lines of JSON: the run, without what was asked, and then each event after `after` with its seq, epoch and time. The
 * first line's `after` is lower than asked for if that event is gone: the log was compacted, and starts again.
 */
export async function readRunLog(
  run: Run,
  log: EventLog,
  { after, show = (event) => event }: RunLogQueryDto & { readonly show?: (event: RunEvent) => RunEvent },
): Promise<string> {
  const { afterSeq, events } = await readLogPart(log, run.id, { afterSeq: after, enoughBytes: ENOUGH_BYTES });
  const lines = [JSON.stringify({ run: toListedFields(run), after: afterSeq })];
  for (const { seq, epoch, at, event } of events)
    lines.push(JSON.stringify({ seq, epoch, at, event: show(event) }));
  return `${lines.join('\n')}\n`;
}

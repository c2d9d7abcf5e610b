import { z } from 'zod';

/** Bytes of JSON that a run's metadata may take, and how deep it may nest. */
const METADATA_BYTES = 16 * 1024;
const METADATA_DEPTH = 8;

/** Ids that clients may bring along or send back: safe in a URL, in an event id, in a file name. */
export const idSchema = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'Use 1 to 64 letters, digits, _ and -');

/** What `POST /api/chat` and `POST /api/chat/runs` take. Fields that are not listed are refused. */
export const startRunSchema = z
  .strictObject({
    message: z
      .string()
      .refine((text) => text.trim() !== '', 'Say something')
      .refine((text) => !text.includes('\0'), 'A NUL character cannot be stored')
      .refine((text) => text.isWellFormed(), 'The text has half of a surrogate pair')
      .meta({ description: 'What the person says.', example: 'Which countries border Austria?' }),
    threadId: idSchema.optional().meta({ description: 'The conversation to go on with. Absent: a new one.' }),
    agent: z.string().min(1).max(64).optional().meta({ description: 'Absent: the default agent.' }),
    metadata: z
      .record(z.string().max(64), z.unknown())
      .refine((metadata) => !nestsDeeper(metadata, METADATA_DEPTH), `Nest at most ${METADATA_DEPTH} levels`)
      .refine(
        (metadata) => JSON.stringify(metadata).length <= METADATA_BYTES,
        `Use at most ${METADATA_BYTES} bytes of JSON`,
      )
      .optional()
      .meta({ description: 'Your own notes, kept with the run and handed to the agent.' }),
  })
  .meta({ id: 'StartRun' });

/** Printable ASCII: what RFC 9110 allows in a field value, less the control characters. */
export const idempotencyKeySchema = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, 'Use 1 to 255 printable ASCII characters');

/** Without recursion, so that no depth can exhaust the stack. */
function nestsDeeper(value: unknown, levels: number): boolean {
  let level = [value];
  for (let depth = 0; depth < levels; depth++) {
    level = level.flatMap((item) => (isContainer(item) ? Object.values(item) : []));
  }
  return level.some(isContainer);
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

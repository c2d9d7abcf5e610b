import { StandardSchemaValidationPipe } from '@nestjs/common';
import type { z } from 'zod';
import { AppError } from '../errors.js';

interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/**
 * The value as the schema describes it.
 *
 * @param where what the value is, for the message: `body`, `Idempotency-Key`
 * @throws AppError REQUEST_INVALID with every fault in `details.errors`
 */
export function validate<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  where: string,
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalid(parsed.error.issues, where);
}

/** Checks what carries a `schema` option: `@Query({ schema })`, `@Body({ schema })`. Bound by `@Endpoint`, never globally. */
export class SchemaPipe extends StandardSchemaValidationPipe {
  constructor() {
    super({ exceptionFactory: (issues) => invalid(issues, 'request') });
  }
}

function invalid(issues: readonly Issue[], where: string): AppError {
  const errors = issues.map(({ path = [], message }) => ({
    path: path.map((step) => String(typeof step === 'object' ? step.key : step)).join('.'),
    message,
  }));
  const first = errors[0];
  const sentence = first ? `${first.path || where}: ${first.message}.` : `The ${where} does not fit.`;
  return new AppError('REQUEST_INVALID', sentence, { details: { errors } });
}

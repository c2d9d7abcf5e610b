import { Injectable, type PipeTransform } from '@nestjs/common';
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

/** Checks one parameter of a handler: `@Query(new SchemaPipe(schema))`, `@Body(new SchemaPipe(schema))`. */
@Injectable()
export class SchemaPipe<Schema extends z.ZodType> implements PipeTransform<unknown, z.output<Schema>> {
  constructor(private readonly schema: Schema) {}

  /** @throws AppError REQUEST_INVALID */
  transform(value: unknown): z.output<Schema> {
    return validate(this.schema, value, 'request');
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

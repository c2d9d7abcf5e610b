import type { evaluateExpression } from '../library/calculator/expression.js';
import type { htmlText } from '../library/http-fetch/html-text.js';
import type { fitSchema } from './fit-schema.js';

/** Jobs that run outside the event loop, because their input comes from a model, a page or a foreign server. */
export interface Jobs {
  readonly calculate: typeof evaluateExpression;
  readonly 'html-text': typeof htmlText;
  readonly 'fit-schema': typeof fitSchema;
}

export type JobName = keyof Jobs;

export interface Job<Name extends JobName = JobName> {
  readonly name: Name;
  readonly input: Parameters<Jobs[Name]>[0];
}

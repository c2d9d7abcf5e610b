import type { Problem } from './problem.js';

// Everything in this folder runs in the worker thread, from the build and, in tests, straight from these sources: only syntax
// that Node can strip, `import type` for types, and `.ts` (which the build rewrites) for values.

/** What the worker is started with. */
export interface WorkerOptions {
  /** Where the files are, or `:memory:`. */
  readonly directory: string;
  readonly synchronous: 'NORMAL' | 'FULL';
  /** The size that the database file may have; a write beyond it fails as on a full disk. */
  readonly maxFileBytes?: number;
}

/** The worker's first message. */
export type Opening = { readonly opened: true } | { readonly opened: false; readonly problem: Problem };

/** What one turn of the event loop asked for, in order; or the last message, after which the worker ends. */
export type Request = readonly Call[] | 'close';

export interface Call {
  readonly operation: string;
  readonly input: unknown;
}

/** The outcomes of the calls in the order in which they came, over however many requests. */
export type Reply = readonly Outcome[];

export type Outcome = { readonly value: unknown } | { readonly problem: Problem };

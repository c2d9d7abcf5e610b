import type { Problem } from './problem.js';

// Everything in this folder runs in the worker thread, from the build and, in tests, straight from these sources: only syntax
// that Node can strip, `import type` for types, and `.ts` (which the build rewrites) for values.

/** Options of the worker. */
export interface WorkerOptions {
  /** Directory of the files, or `:memory:`. */
  readonly directory: string;
  readonly synchronous: 'NORMAL' | 'FULL';
  /** The size that the database file may have; a write beyond it fails as on a full disk. */
  readonly maxFileBytes?: number;
  /** For one that takes the place of a worker that died: the runs of this process go on under the owner that they have. */
  readonly resumes?: {
    /** Time for which no lease could be renewed, in milliseconds. */
    readonly downMs: number;
  };
}

/** The worker's first message. */
export type Opening =
  | { readonly opened: true; readonly warning?: string | undefined }
  | { readonly opened: false; readonly problem: Problem };

/** A request to the worker: calls in order; or the last message, after which the worker ends. */
export type Request = { readonly calls: readonly Call[]; readonly reads: readonly Call[] } | 'close';

export interface Call {
  readonly id: number;
  readonly operation: string;
  readonly input: unknown;
}

/** The outcomes of some calls, of whichever request. */
export type Reply = readonly NumberedOutcome[];

export type Outcome = { readonly value: unknown } | { readonly problem: Problem };

export type NumberedOutcome = Outcome & { readonly id: number };

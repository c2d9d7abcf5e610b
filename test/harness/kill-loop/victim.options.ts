import { join } from 'node:path';

/** Options of a server that will be killed. */
export interface VictimOptions {
  /** Its data. The same in all its lives. */
  readonly directory: string;
  readonly seed: number;
  /** Number of this life, from 1. */
  readonly life: number;
  /** Deaths after which a run is given up. With it, a run that ends its process and one that blocks it can be asked for. Default: no limit, and no such runs. */
  readonly maxOwners?: number;
}

/** A message of a server to whoever started it. */
export type VictimMessage =
  | { readonly port: number }
  /** It ends itself. */
  | { readonly dying: true }
  /** It has logged that its thread was blocked, while these runs were at work. */
  | { readonly blocked: readonly { readonly runId: string; readonly steps: readonly string[] }[] };

/** Returns the file in which its tools record their effects, beside the database. */
export function toLedgerFile(directory: string): string {
  return join(directory, 'side-effects.jsonl');
}

import { join } from 'node:path';

/** What a server that will be killed has to know. */
export interface VictimOptions {
  /** Its data. The same in all its lives. */
  readonly directory: string;
  readonly seed: number;
  /** Which life this is, from 1. */
  readonly life: number;
}

/** Where its tools leave word of what they did: beside the database, in a file of its own. */
export function ledgerFileOf(directory: string): string {
  return join(directory, 'side-effects.jsonl');
}

import { appendFileSync, existsSync, readFileSync } from 'node:fs';

/** A tool's effect on the world outside: `begun` before it, `done` after it. */
export interface SideEffect {
  readonly tool: string;
  readonly runId: string;
  readonly toolCallId: string;
  readonly idempotencyKey: string;
  readonly phase: 'begun' | 'done';
}

/**
 * The world outside, as far as a tool can change it: a file of its own, apart from any storage, that survives the death of
 * the process that writes it. What is done twice is in it twice.
 */
export class SideEffectLedger {
  constructor(private readonly file: string) {}

  /** Written when it returns. */
  write(effect: SideEffect): void {
    appendFileSync(this.file, `${JSON.stringify(effect)}\n`);
  }

  read(): SideEffect[] {
    if (!existsSync(this.file)) return [];
    return readFileSync(this.file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as SideEffect);
  }
}

/**
 * Returns the failures of tools that must not act twice: a call that was begun more than once although it says `once`, and a call
 * whose attempts came with different keys, so that outside nothing could tell them to be the same.
 */
export function checkEffects(effects: readonly SideEffect[], onceTools: ReadonlySet<string>): string[] {
  const begun = effects.filter(({ phase }) => phase === 'begun');
  return [...Map.groupBy(begun, ({ runId, toolCallId }) => `${runId}:${toolCallId}`)].flatMap(
    ([call, attempts]) => {
      const tool = attempts[0]?.tool ?? '';
      const keys = new Set(attempts.map(({ idempotencyKey }) => idempotencyKey));
      const faults = keys.size > 1 ? [`${tool} ${call} came with ${keys.size} keys`] : [];
      if (onceTools.has(tool) && attempts.length > 1)
        faults.push(`${tool} ${call} was done ${attempts.length} times`);
      return faults;
    },
  );
}

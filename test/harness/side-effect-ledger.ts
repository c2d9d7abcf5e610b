import type { RecordedEvent } from '../../src/events/recorded-event.js';
import { humanMessageId } from '../../src/agents/langgraph/thread-messages.js';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';

/** A tool's effect on the world outside: `begun` before it, `done` after it. */
export interface SideEffect {
  readonly tool: string;
  readonly runId: string;
  readonly toolCallId: string;
  readonly idempotencyKey: string;
  readonly phase: 'begun' | 'done';
  /** In milliseconds since the epoch. */
  readonly at: number;
}

/**
 * The world outside, as far as a tool can change it: a file of its own, apart from any storage, that survives the death of
 * the process that writes it. What is done twice is in it twice.
 */
export class SideEffectLedger {
  constructor(private readonly file: string) {}

  /** Written when it returns. */
  write(effect: Omit<SideEffect, 'at'>): void {
    appendFileSync(this.file, `${JSON.stringify({ ...effect, at: Date.now() })}\n`);
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

/** Returns a fault for each step of a graph that had an effect, was over in the log, and was done again for the same question. */
export function checkSteps(
  effects: readonly SideEffect[],
  logs: readonly (readonly RecordedEvent[])[],
  name: string,
): string[] {
  const begun = effects.filter(({ tool, phase }) => tool === name && phase === 'begun');
  return logs.flatMap((log) => {
    const [start] = log;
    const over = log.find(({ event }) => event.type === 'step-end' && event.name === name);
    if (!over || start?.event.type !== 'run-start') return [];
    const question = humanMessageId(start.event.messageId);
    const again = begun.filter(({ toolCallId, at }) => toolCallId === question && at > over.at);
    return again.length > 0 ? [`${name} of ${start.runId} was done again after its end`] : [];
  });
}

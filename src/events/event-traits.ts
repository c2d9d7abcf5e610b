import type { RunEvent, RunEventType } from './run-event.js';

/** Traits of a type of event, independent of its content. */
export interface EventTraits {
  /** The output that it belongs to, which a `step-reset` of its step takes back. */
  readonly output: 'part' | 'tool-call' | 'none';
  /** The commit that takes it: one at once, or the next. Of deltas, the first of a run goes at once. */
  readonly commit: 'at-once' | 'first-at-once' | 'next';
  /** The limit of its run that it counts toward. */
  readonly counts: 'model-call' | 'tool-call' | 'nothing';
}

const FACT = { output: 'none', commit: 'at-once', counts: 'nothing' } as const;
const PART = { output: 'part', commit: 'at-once', counts: 'nothing' } as const;
const DELTA = { ...PART, commit: 'first-at-once' } as const;
const CALL = { output: 'tool-call', commit: 'at-once', counts: 'nothing' } as const;

const TRAITS: Readonly<Record<RunEventType, EventTraits>> = {
  'run-start': FACT,
  'run-resume': FACT,
  'step-start': FACT,
  'step-end': FACT,
  'step-reset': FACT,
  'text-start': PART,
  'text-delta': DELTA,
  'text-end': PART,
  'reasoning-start': PART,
  'reasoning-delta': DELTA,
  'reasoning-end': PART,
  file: PART,
  source: PART,
  'tool-start': { ...CALL, counts: 'tool-call' },
  'tool-progress': { ...CALL, commit: 'next' },
  'tool-end': CALL,
  'input-request': FACT,
  'input-answer': FACT,
  usage: { ...FACT, counts: 'model-call' },
  state: { ...FACT, commit: 'next' },
  checkpoint: { ...FACT, commit: 'next' },
  task: { ...FACT, commit: 'next' },
  'message-put': { ...FACT, commit: 'next' },
  custom: FACT,
  end: FACT,
};

/** Every type of event. */
export const EVENT_TYPES = Object.keys(TRAITS) as readonly RunEventType[];

/** Returns the traits of an event. One of a type that a newer version has written is a fact: it counts nothing, and stays. */
export function getTraits(event: RunEvent): EventTraits {
  return (TRAITS as Readonly<Partial<typeof TRAITS>>)[event.type] ?? FACT;
}

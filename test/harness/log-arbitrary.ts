import * as fc from 'fast-check';
import type { ApprovalDecision, RequestedApproval } from '../../src/events/requested-input.js';
import type { RecordedEvent } from '../../src/events/recorded-event.js';
import type { RunOutcome } from '../../src/events/run-event.js';
import { KINDS, OUTCOMES, RandomRun, type Move } from './random-run.js';

/**
 * Any log that a run can leave: side by side and nested steps, parts and tools that interleave, retries, takeovers that take
 * back what was open, approvals, every end. What shrinks is the list of {@link Move}s, so each smaller log is valid too.
 */
export function runLogs({ maxMoves = 40 }: { readonly maxMoves?: number } = {}): fc.Arbitrary<
  RecordedEvent[]
> {
  return fc
    .record({
      moves: fc.array(moves, { maxLength: maxMoves, size: 'max' }),
      outcome: fc.constantFrom<RunOutcome[]>('completed', 'failed', 'cancelled', 'awaiting-input'),
      continues: fc.boolean(),
    })
    .map(({ moves: made, outcome, continues }) =>
      new RandomRun(continues ? { resumeOf: 'earlier-run', inputs: EARLIER } : undefined).play(made, outcome),
    );
}

/** A run that stopped for approvals, what was decided, and the run that goes on with that. */
export interface ContinuedRun {
  readonly before: readonly RecordedEvent[];
  /** All of them with their answers. */
  readonly inputs: readonly RequestedApproval[];
  /** Of the second run: it makes the calls that were asked for, as far as it comes. */
  readonly log: readonly RecordedEvent[];
}

/** Any two such runs. */
export function continuedRuns({
  maxMoves = 25,
}: { readonly maxMoves?: number } = {}): fc.Arbitrary<ContinuedRun> {
  return fc
    .record({
      first: fc.array(moves, { maxLength: maxMoves, size: 'max' }),
      second: fc.array(moves, { maxLength: maxMoves, size: 'max' }),
      outcome: fc.constantFrom<RunOutcome[]>('completed', 'failed', 'cancelled', 'awaiting-input'),
      decisions: fc.array(fc.constantFrom<ApprovalDecision['decision'][]>('approve', 'edit', 'deny'), {
        minLength: 1,
      }),
    })
    .map(({ first, second, outcome, decisions }) => {
      const stopped = new RandomRun();
      const before = stopped.play(first, 'awaiting-input');
      const inputs = stopped.inputs.map((approval, index): RequestedApproval => {
        const decision = decisions[index % decisions.length] ?? 'approve';
        return { ...approval, answer: { decision, by: 'somebody', at: before.length } };
      });
      const log = new RandomRun({ resumeOf: 'run', inputs, before }).play(second, outcome);
      return { before, inputs, log };
    });
}

const EARLIER = [
  {
    inputId: 'earlier-1',
    toolCallId: 'earlier-call-1',
    answer: { decision: 'approve', by: 'somebody', at: 1 },
  },
  {
    inputId: 'earlier-2',
    toolCallId: 'earlier-call-2',
    answer: { decision: 'deny', by: 'somebody', at: 1 },
  },
] as const;

/** As storages give it back: a zero has lost its sign. */
const json = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);

const moves: fc.Arbitrary<Move> = fc.record({
  kind: fc.constantFrom(...KINDS),
  pick: fc.nat(9),
  words: fc.string({ unit: 'grapheme', maxLength: 6 }),
  data: fc.option(json, { nil: undefined }),
  outcome: fc.constantFrom(...OUTCOMES),
});

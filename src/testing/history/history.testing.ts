import * as fc from 'fast-check';
import type { RecordedEvent } from '../../events/recorded-event.js';
import type { RunEvent } from '../../events/run-event.js';
import { foldRun } from '../../events/run-view.js';
import type { Connection, ObservedFrame, Reader, RunHistory } from './history.js';

/** The plan of one step: its text, its tool, and the deaths of its owner in the middle of it. */
interface StepPlan {
  readonly words: readonly string[];
  readonly tool: boolean;
  readonly deaths: readonly number[];
}

const step: fc.Arbitrary<StepPlan> = fc.record({
  words: fc.array(fc.string({ minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 6 }),
  tool: fc.boolean(),
  deaths: fc.array(fc.nat({ max: 10 }), { maxLength: 2 }),
});

/** A reader's habits: where its connections break, and which of them begin again with a `reset`. */
const habit = fc.record({
  cuts: fc.array(fc.nat({ max: 12 }), { maxLength: 5 }),
  resetAt: fc.option(fc.nat({ max: 4 }), { nil: undefined }),
});

/** Histories in which everything went as promised, through deaths, takeovers, cuts and resets. */
export const cleanHistory: fc.Arbitrary<RunHistory> = fc
  .record({
    steps: fc.array(step, { minLength: 1, maxLength: 4 }),
    habits: fc.array(habit, { minLength: 1, maxLength: 4 }),
  })
  .map(({ steps, habits }) => {
    const log = toLog(steps);
    const readers = habits.map((each, index) => toReader(`reader ${index}`, log, each));
    const agentMessages = foldRun('r', log).parts.flatMap((part) =>
      part.kind === 'text' ? [part.text] : [],
    );
    return { runId: 'r', log, readers, acknowledged: log, agentMessages, outages: [OUTAGE] };
  });

/** Time at which connections of a clean history break that the reader does not close itself. */
const OUTAGE = { from: 5_000, to: 6_000 };

function toLog(steps: readonly StepPlan[]): RecordedEvent[] {
  const log: RecordedEvent[] = [];
  let epoch = 1;
  const say = (...events: RunEvent[]) => {
    for (const event of events) {
      const seq = log.length + 1;
      log.push({ runId: 'r', threadId: 't', seq, epoch, at: 1_000 + seq, event });
    }
  };
  say({ type: 'run-start', agent: 'a', messageId: 'm' });
  for (const [index, plan] of steps.entries()) {
    const stepId = `s${index}`;
    for (const death of plan.deaths) {
      const attempt = toAttempt(stepId, epoch, plan);
      const said = attempt.slice(0, Math.min(death, attempt.length - 1));
      say(...said);
      epoch += 1;
      say({ type: 'run-resume', reason: 'takeover' });
      if (said.length > 0) say({ type: 'step-reset', stepId, attempt: epoch, reason: 'takeover' });
    }
    say(...toAttempt(stepId, epoch, plan));
  }
  const usage = { inputTokens: 1, outputTokens: 1, totalTokens: 2 };
  say({ type: 'end', outcome: 'completed', usage, durationMs: 1 });
  return log;
}

function toAttempt(stepId: string, attempt: number, { words, tool }: StepPlan): RunEvent[] {
  const about = { stepId, name: 'node', attempt } as const;
  const partId = `p-${stepId}-${attempt}`;
  const toolCallId = `c-${stepId}-${attempt}`;
  const call: RunEvent[] = [
    { type: 'tool-start', toolCallId, toolName: 'look', stepId, messageId: 'm', label: 'Looking…' },
    { type: 'tool-progress', toolCallId, fraction: 0.5 },
    { type: 'tool-end', toolCallId, outcome: 'ok', durationMs: 3 },
  ];
  return [
    { type: 'step-start', ...about },
    { type: 'text-start', partId, messageId: 'm', stepId },
    ...words.map((delta): RunEvent => ({ type: 'text-delta', partId, delta: `${attempt}${delta}` })),
    { type: 'text-end', partId },
    ...(tool ? call : []),
    { type: 'step-end', ...about },
  ];
}

function toReader(
  name: string,
  log: readonly RecordedEvent[],
  { cuts, resetAt }: { readonly cuts: readonly number[]; readonly resetAt: number | undefined },
): Reader {
  const connections: Connection[] = [];
  let have = 0;
  for (const [index, length] of [...cuts, Infinity].entries()) {
    const last = log[have - 1];
    const after = last && { runId: 'r', epoch: last.epoch, seq: last.seq };
    const frames: ObservedFrame[] = [{ kind: 'ready' }];
    if (after && index === resetAt) {
      frames.push({ kind: 'reset', from: 1 });
      have = 0;
    }
    const events = log.slice(have, have + length);
    frames.push(...events.map((recorded): ObservedFrame => ({ kind: 'event', recorded })));
    have += events.length;
    const isLast = have === log.length;
    // Every second one is closed by its reader, at a time when nothing is broken.
    const closed: Connection['closed'] =
      index % 2 === 0 && !isLast ? { by: 'other', at: OUTAGE.from + index } : { by: 'reader', at: index };
    connections.push({ after, frames, closed });
    if (isLast) break;
  }
  return { name, connections };
}

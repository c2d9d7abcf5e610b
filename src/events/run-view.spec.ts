import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { runLogs } from '../../test/harness/log-arbitrary.js';
import type { RecordedEvent } from './recorded-event.js';
import type { RunEvent } from './run-event.js';
import { applyEvent, emptyView, foldRun, getText, withDecisions } from './run-view.js';

const USAGE = { inputTokens: 1, outputTokens: 2, totalTokens: 3 };

function recorded(events: readonly RunEvent[]): RecordedEvent[] {
  return events.map((event, index) => ({
    runId: 'run',
    threadId: 'thread',
    seq: index + 1,
    epoch: 1,
    at: 1_000 + index,
    event,
  }));
}

const fold = (events: readonly RunEvent[]) => foldRun('run', recorded(events));

const step = (stepId: string): RunEvent => ({ type: 'step-start', stepId, name: 'n', attempt: 1 });
const words = (partId: string, stepId: string, ...deltas: string[]): RunEvent[] => [
  { type: 'text-start', partId, stepId, messageId: 'm' },
  ...deltas.map((delta): RunEvent => ({ type: 'text-delta', partId, delta })),
  { type: 'text-end', partId },
];
const toolStart = (toolCallId: string, stepId: string): RunEvent => ({
  type: 'tool-start',
  toolCallId,
  stepId,
  toolName: 'search',
  messageId: 'm',
  label: 'Searching…',
});

describe('withDecisions', () => {
  const asked = (inputId: string): RunEvent => ({
    type: 'input-request',
    kind: 'approval',
    inputId,
    toolCallId: `call-${inputId}`,
    toolName: 'pay',
    stepId: 's',
    label: 'Pay',
    input: { amount: 50 },
  });

  it("shows the arguments that a person has put in place of the model's, and the reason for a denial", () => {
    const view = fold([asked('a'), asked('b')]);
    const inputs = view.parts.flatMap((part) => (part.kind === 'approval' ? [part] : []));
    const answers = [
      { decision: 'edit', input: { amount: 7 }, by: 'ada', at: 1 },
      { decision: 'deny', reason: 'Too much.', by: 'ada', at: 1 },
    ] as const;
    const decided = withDecisions(
      view,
      inputs.map((input, index) => ({ ...input, answer: answers[index]! })),
    );
    expect(decided.parts).toMatchObject([
      { inputId: 'a', decision: 'edit', input: { amount: 7 } },
      { inputId: 'b', decision: 'deny', input: { amount: 50 }, denial: 'Too much.' },
    ]);
  });
});

describe('foldRun and applyEvent', () => {
  it("starts a run's view as pending and without parts", () => {
    expect(foldRun('run', [])).toEqual({ runId: 'run', status: 'pending', parts: [], seq: 0, epoch: 0 });
  });

  it('builds the view of a whole run', () => {
    const view = fold([
      { type: 'run-start', agent: 'assistant', messageId: 'm' },
      step('s1'),
      { type: 'reasoning-start', partId: 'r', stepId: 's1', messageId: 'm' },
      { type: 'reasoning-delta', partId: 'r', delta: 'hm' },
      { type: 'reasoning-end', partId: 'r' },
      toolStart('c', 's1'),
      { type: 'tool-progress', toolCallId: 'c', message: 'page 1' },
      { type: 'tool-progress', toolCallId: 'c', fraction: 0.5 },
      { type: 'tool-end', toolCallId: 'c', outcome: 'ok', output: { hits: 2 }, durationMs: 7 },
      ...words('p', 's1', 'Hel', 'lo'),
      { type: 'custom', name: 'chart', data: [1] },
      {
        type: 'input-request',
        kind: 'approval',
        inputId: 'a',
        toolCallId: 'd',
        toolName: 'pay',
        stepId: 's',
        label: 'Pay',
        input: 1,
      },
      { type: 'input-answer', kind: 'approval', inputId: 'a', decision: 'deny', by: 'ada' },
      { type: 'usage', model: 'x', ...USAGE },
      { type: 'usage', model: 'x', ...USAGE },
      { type: 'step-end', stepId: 's1', name: 'n', attempt: 1 },
    ]);
    expect(view).toEqual({
      runId: 'run',
      status: 'running',
      agent: 'assistant',
      messageId: 'm',
      usage: { inputTokens: 2, outputTokens: 4, totalTokens: 6 },
      seq: 19,
      epoch: 1,
      parts: [
        { kind: 'reasoning', partId: 'r', stepId: 's1', text: 'hm', open: false },
        {
          kind: 'tool',
          toolCallId: 'c',
          toolName: 'search',
          stepId: 's1',
          label: 'Searching…',
          startedAt: 1_005,
          progress: { message: 'page 1', fraction: 0.5 },
          outcome: 'ok',
          output: { hits: 2 },
          durationMs: 7,
        },
        { kind: 'text', partId: 'p', stepId: 's1', text: 'Hello', open: false },
        { kind: 'custom', name: 'chart', data: [1] },
        {
          kind: 'approval',
          inputId: 'a',
          toolCallId: 'd',
          toolName: 'pay',
          stepId: 's',
          label: 'Pay',
          input: 1,
          decision: 'deny',
          by: 'ada',
        },
      ],
    });
    expect(getText(view)).toBe('Hello');
  });

  it('shows in the view how the run ended', () => {
    const error = { code: 'RUN_LIMIT', message: 'Too long.', retryable: false };
    const view = fold([{ type: 'end', outcome: 'failed', error, usage: USAGE, durationMs: 9 }]);
    expect(view).toMatchObject({ status: 'failed', error, usage: USAGE, durationMs: 9 });
  });

  it('drops exactly the parts of a step that was reset', () => {
    const view = fold([
      step('s1'),
      ...words('p1', 's1', 'kept '),
      step('s2'),
      step('s3'),
      ...words('p2', 's2', 'gone '),
      toolStart('c2', 's2'),
      toolStart('c3', 's3'),
      { type: 'step-reset', stepId: 's2', attempt: 2, reason: 'takeover' },
      ...words('p4', 's2', 'again'),
    ]);
    expect(getText(view)).toBe('kept again');
    expect(view.parts.map((part) => (part.kind === 'tool' ? part.toolCallId : part.kind))).toEqual([
      'text',
      'c3',
      'text',
    ]);
  });

  it('marks the first part of an owner that has taken the run over', () => {
    const resumed: RunEvent[] = [
      step('s1'),
      ...words('p1', 's1', 'Kept. '),
      step('s2'),
      { type: 'text-start', partId: 'p2', stepId: 's2', messageId: 'm' },
      { type: 'run-resume', reason: 'takeover' },
      { type: 'step-reset', stepId: 's2', attempt: 2, reason: 'takeover' },
    ];
    expect(fold(resumed)).toMatchObject({ continued: 'takeover', parts: [{ text: 'Kept. ' }] });
    const whole = fold([...resumed, ...words('p3', 's2', 'New. '), toolStart('c', 's2')]);
    expect(whole).not.toHaveProperty('continued');
    expect(whole.parts.map(({ continued }) => continued)).toEqual([undefined, 'takeover', undefined]);
  });

  it('changes only the position of the view for an unknown event', () => {
    const before = fold([step('s1'), ...words('p', 's1', 'Hi')]);
    const unknown = { type: 'picture-start', url: 'x' } as unknown as RunEvent;
    const [last] = recorded([unknown]);
    const after = applyEvent(before, { ...(last as RecordedEvent), seq: before.seq + 1 });
    expect(after).toEqual({ ...before, seq: before.seq + 1 });
    expect(after.parts).toBe(before.parts);
  });

  it('shares unchanged parts of a view, so that a renderer can compare with ===', () => {
    const log = recorded([step('s1'), ...words('p1', 's1', 'one'), ...words('p2', 's1', 'two', 'three')]);
    const before = foldRun('run', log.slice(0, -2));
    const after = applyEvent(before, log.at(-2) as RecordedEvent);
    expect(after.parts[0]).toBe(before.parts[0]);
    expect(after.parts[1]).not.toBe(before.parts[1]);
  });

  it('returns the same view for an event that was already applied', () => {
    const log = recorded([step('s1'), ...words('p1', 's1', 'one')]);
    const view = foldRun('run', log);
    for (const old of log) expect(applyEvent(view, old)).toBe(view);
  });

  it('builds the same view however the log is cut and whatever comes twice', () => {
    fc.assert(
      fc.property(runLogs(), fc.array(fc.nat()), (log, cuts) => {
        const whole = foldRun('run', log);
        let view = emptyView('run');
        for (const cut of [...cuts, log.length]) {
          // A reader that comes back is given everything after some place that it has passed, up to some later one.
          const from = cut % (view.seq + 1);
          const upTo = Math.max(view.seq, cut % (log.length + 1));
          for (const event of log.slice(from, upTo)) view = applyEvent(view, event);
        }
        for (const event of log) view = applyEvent(view, event);
        expect(view).toEqual(whole);
      }),
    );
  });

  it('does not change earlier views', () => {
    fc.assert(
      fc.property(runLogs(), (log) => {
        let view = emptyView('run');
        for (const event of log) {
          const before = structuredClone(view);
          const next = applyEvent(view, event);
          expect(view).toEqual(before);
          view = next;
        }
      }),
      { numRuns: 30 },
    );
  });
});

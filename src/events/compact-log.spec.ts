import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { runLogs } from '../../test/harness/log-arbitrary.js';
import { compactLog } from './compact-log.js';
import { diffJson, type PatchOperation } from './json-patch.js';
import type { RecordedEvent } from './recorded-event.js';
import type { RunEvent } from './run-event.js';
import { foldRun, type RunView } from './run-view.js';

/** The view without what compaction may forget: how far a tool that has ended had got meanwhile. */
function foldView(log: readonly RecordedEvent[]): RunView {
  const view = foldRun('run', log);
  const parts = view.parts.map((part) => {
    if (part.kind !== 'tool' || part.outcome === undefined) return part;
    const { progress: _, ...rest } = part;
    return rest;
  });
  return { ...view, parts };
}

function toLog(...events: RunEvent[]): RecordedEvent[] {
  return events.map((event, index) => ({
    runId: 'run',
    threadId: 'thread',
    seq: index + 1,
    epoch: 1,
    at: 1_000 + index,
    event,
  }));
}

const listSeqs = (log: readonly RecordedEvent[]) => log.map(({ seq }) => seq);
const said = (partId: string, delta: string): RunEvent => ({ type: 'text-delta', partId, delta });
const begun = (partId: string, stepId = 's1'): RunEvent => ({
  type: 'text-start',
  partId,
  stepId,
  messageId: 'm1',
});

const ENDED: RunEvent = {
  type: 'end',
  outcome: 'completed',
  usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 },
  durationMs: 1,
};

/** Two parts and a tool that talk across each other, a step that is taken back and a new owner now and then: little else, and much of it. */
const wordyLogs = fc.array(fc.nat(10), { minLength: 5, maxLength: 60, size: 'max' }).map((dice) => {
  let attempt = 1;
  const begin = (): RunEvent[] => [
    begun(`a${attempt}`),
    { type: 'tool-start', toolCallId: 'c1', toolName: 't', stepId: 's1', messageId: 'm1', label: 'Looking' },
  ];
  const events: RunEvent[] = [
    { type: 'run-start', agent: 'a', messageId: 'm1' },
    ...begin(),
    begun('b', 's2'),
  ];
  for (const [index, die] of dice.entries()) {
    if (die < 4) events.push(said(`a${attempt}`, `a${index} `));
    else if (die < 7) events.push(said('b', `b${index} `));
    else if (die === 7) events.push({ type: 'tool-progress', toolCallId: 'c1', message: `m${index}` });
    else if (die === 8) events.push({ type: 'custom', name: 'n', data: index });
    else if (die === 9) events.push({ type: 'run-resume', reason: 'takeover' });
    else {
      attempt += 1;
      const reason = index % 2 === 0 ? 'retry' : 'replaced';
      events.push({ type: 'step-reset', stepId: 's1', attempt, reason }, ...begin());
    }
  }
  events.push({ type: 'tool-end', toolCallId: 'c1', outcome: 'ok', durationMs: 1 }, ENDED);
  return toLog(...events);
});

/** A list that grows, shrinks and is written over, much of it between two kept states and little. */
const statefulLogs = fc.array(fc.nat(9), { minLength: 5, maxLength: 60, size: 'max' }).map((dice) => {
  let list: readonly string[] = Array.from({ length: dice.length }, (_, index) => `ä${index}`);
  const events: RunEvent[] = [
    { type: 'run-start', agent: 'a', messageId: 'm1' },
    { type: 'state', patch: [{ op: 'replace', path: '', value: { list } }] },
  ];
  for (const [index, die] of dice.entries()) {
    if (die < 3) events.push({ type: 'checkpoint', checkpointId: `c${index}`, step: index, source: 'loop' });
    else {
      const next = die < 7 ? [...list, `ß${index}`] : die < 9 ? list.slice(1) : [];
      events.push({ type: 'state', patch: diffJson({ list }, { list: next }) });
      list = next;
    }
  }
  return toLog(...events, ENDED);
});

const anyLogs = fc.oneof(runLogs(), wordyLogs, statefulLogs);

/** The bytes of a log as JSON. */
const weigh = (log: readonly RecordedEvent[]) => Buffer.byteLength(JSON.stringify(log));

describe('compactLog', () => {
  it('joins the deltas of a part at the position of the last one', () => {
    const log = toLog(begun('p1'), said('p1', 'Hel'), said('p1', 'lo'), said('p1', '!'));
    const [start, delta, ...rest] = compactLog(log);
    expect(start).toBe(log[0]);
    expect(delta).toEqual({ ...log[3], event: said('p1', 'Hello!') });
    expect(rest).toEqual([]);
  });

  it('keeps deltas apart that have another event between them', () => {
    const log = toLog(begun('p1'), begun('p2'), said('p1', 'a'), said('p2', 'b'), said('p1', 'c'));
    expect(compactLog(log)).toEqual(log);
  });

  it('drops what the agent has replaced and keeps the reset', () => {
    const reset: RunEvent = { type: 'step-reset', stepId: 's1', attempt: 1, reason: 'replaced' };
    const log = toLog(
      begun('p1'),
      begun('other', 's2'),
      said('p1', 'old'),
      said('other', 'kept'),
      reset,
      begun('p3'),
      said('p3', 'new'),
    );
    expect(listSeqs(compactLog(log))).toEqual([2, 4, 5, 6, 7]);
  });

  it('keeps what a takeover has superseded, and the time of its last word', () => {
    const reset: RunEvent = { type: 'step-reset', stepId: 's1', attempt: 2, reason: 'takeover' };
    const log = toLog(begun('p1'), said('p1', 'o'), said('p1', 'ld'), reset, begun('p3'), said('p3', 'new'));
    const compacted = compactLog(log);
    expect(listSeqs(compacted)).toEqual([1, 3, 4, 5, 6]);
    expect(compacted[1]).toEqual({ ...log[2], event: said('p1', 'old') });
  });

  it('drops what a takeover has superseded once the agent has replaced the text of that step', () => {
    const reset = (reason: 'takeover' | 'replaced'): RunEvent => ({
      type: 'step-reset',
      stepId: 's1',
      attempt: 2,
      reason,
    });
    const log = toLog(
      begun('p1'),
      said('p1', 'secret'),
      reset('takeover'),
      begun('p2'),
      said('p2', 'secret'),
      reset('replaced'),
      begun('p3'),
      said('p3', 'new'),
    );
    expect(listSeqs(compactLog(log))).toEqual([3, 6, 7, 8]);
  });

  it('drops the progress of tools that have ended', () => {
    const toolCallId = 'c1';
    const log = toLog(
      { type: 'tool-start', toolCallId, toolName: 't', stepId: 's1', messageId: 'm1', label: 'Looking' },
      { type: 'tool-progress', toolCallId, fraction: 0.5 },
      { type: 'tool-progress', toolCallId: 'c2', fraction: 0.5 },
      { type: 'tool-end', toolCallId, outcome: 'ok', durationMs: 1 },
    );
    expect(listSeqs(compactLog(log))).toEqual([1, 3, 4]);
  });

  it('keeps the last change before each kept state of the graph, with the whole state', () => {
    const change = (value: number): RunEvent => ({
      type: 'state',
      patch: [
        value === 1 ? { op: 'replace', path: '', value: { n: 1 } } : { op: 'replace', path: '/n', value },
      ],
    });
    const reached = (checkpointId: string): RunEvent => ({
      type: 'checkpoint',
      checkpointId,
      step: 0,
      source: 'loop',
    });
    const log = toLog(change(1), change(2), reached('a'), reached('b'), change(3), change(4), reached('c'));
    const compacted = compactLog(log).map(({ event }) => event);
    const whole = (n: number) => ({ type: 'state', patch: [{ op: 'replace', path: '', value: { n } }] });
    expect(compacted).toEqual([whole(2), reached('a'), reached('b'), whole(4), reached('c')]);
  });

  it('keeps the last state, whole', () => {
    const state = (...patch: PatchOperation[]): RunEvent => ({
      type: 'state',
      patch,
      writers: { a: ['s1'] },
    });
    const log = toLog(
      state({ op: 'replace', path: '', value: { a: 1, b: 1 } }),
      begun('p1'),
      state({ op: 'replace', path: '/a', value: 2 }),
      { ...state({ op: 'remove', path: '/b' }), omitted: ['b'] } as RunEvent,
      said('p1', 'a'),
    );
    const compacted = compactLog(log);
    expect(listSeqs(compacted)).toEqual([2, 4, 5]);
    const patch = [{ op: 'replace', path: '', value: { a: 2 } }];
    expect(compacted[1]?.event).toEqual({ type: 'state', patch, omitted: ['b'] });
  });

  it('keeps what a message was at a state of the graph that is kept, though the agent has replaced it later', () => {
    const reached = (checkpointId: string, next?: []): RunEvent => ({
      type: 'checkpoint',
      checkpointId,
      step: 0,
      source: 'loop',
      ...(next && { next }),
    });
    const reset: RunEvent = { type: 'step-reset', stepId: 's1', attempt: 1, reason: 'replaced' };
    const log = toLog(
      begun('p1'),
      said('p1', 'draft'),
      reached('a'),
      begun('p2'),
      said('p2', 'unseen'),
      reached('a', []),
      reset,
      begun('p3'),
      said('p3', 'new'),
      reached('b'),
    );
    expect(listSeqs(compactLog(log))).toEqual([1, 2, 3, 6, 7, 8, 9, 10]);
  });

  it('stays as small as it was where a large state grows from one kept state to the next', () => {
    const events: RunEvent[] = [{ type: 'state', patch: [{ op: 'replace', path: '', value: { list: [] } }] }];
    for (let index = 0; index < 100; index++) {
      const value = String(index).padEnd(2_500, '.');
      for (const path of [`/list/${index}`, '/last'] as const)
        events.push({ type: 'state', patch: [{ op: 'add', path, value: path === '/last' ? index : value }] });
      events.push({ type: 'checkpoint', checkpointId: `c${index}`, step: index, source: 'loop' });
    }
    const log = toLog(...events);
    expect(weigh(compactLog(log))).toBeLessThan(weigh(log));
  });

  it('keeps the state at each state of the graph that is kept, and makes no log larger', () => {
    const listStates = (log: readonly RecordedEvent[]) =>
      log.flatMap(({ seq, event }) =>
        event.type === 'checkpoint' || seq === log.at(-1)?.seq
          ? [
              foldRun(
                'run',
                log.filter((recorded) => recorded.seq <= seq),
              ).state,
            ]
          : [],
      );
    fc.assert(
      fc.property(anyLogs, (log) => {
        const compacted = compactLog(log);
        expect(listStates(compacted)).toEqual(listStates(log));
        expect(weigh(compacted)).toBeLessThanOrEqual(weigh(log));
      }),
      { numRuns: 500 },
    );
  });

  it('keeps the view of any run unchanged', () => {
    fc.assert(
      fc.property(anyLogs, (log) => {
        const compacted = compactLog(log);
        expect(foldView(compacted)).toEqual(foldView(log));
        expect(compacted[0]).toBe(log[0]);
        expect(compacted.at(-1)).toBe(log.at(-1));
        expect(compacted.length).toBeLessThanOrEqual(log.length);
      }),
      { numRuns: 500 },
    );
  });

  it('keeps seqs in order and epochs unchanged, and changes nothing the second time', () => {
    fc.assert(
      fc.property(anyLogs, (log) => {
        const compacted = compactLog(log);
        for (const [index, { seq, epoch, at, event }] of compacted.entries()) {
          expect(seq).toBeGreaterThan(compacted[index - 1]?.seq ?? 0);
          expect({ epoch, at, type: event.type }).toEqual({
            epoch: log[seq - 1]?.epoch,
            at: log[seq - 1]?.at,
            type: log[seq - 1]?.event.type,
          });
        }
        expect(compactLog(compacted)).toEqual(compacted);
      }),
      { numRuns: 500 },
    );
  });

  it('lets a reader continue from every event that remains', () => {
    fc.assert(
      fc.property(anyLogs, (log) => {
        const compacted = compactLog(log);
        for (const { seq } of compacted) {
          const seen = log.filter((recorded) => recorded.seq <= seq);
          const rest = compacted.filter((recorded) => recorded.seq > seq);
          expect(foldView([...seen, ...rest])).toEqual(foldView(log));
        }
      }),
      { numRuns: 500 },
    );
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { runLogs } from '../../test/harness/log-arbitrary.js';
import { parseRunLogs } from '../client/run-log.js';
import { readRuns } from '../protocols/fixtures/recorded.testing.js';
import { compactLog } from './compact-log.js';
import { foldTimeline } from './fold-timeline.js';
import type { RecordedEvent } from './recorded-event.js';
import type { RunEvent } from './run-event.js';
import { measureRun, TIME_SHARES } from './run-figures.js';
import type { RunTimeline, TimelineRow } from './run-timeline.js';

/** Recorded with the server of test/harness/inspected: two runs that are one answer, the first of them killed twice. */
const RECORDED = parseRunLogs(readFileSync(new URL('fixtures/killed-twice.jsonl', import.meta.url), 'utf8'));
const LOG = RECORDED.flatMap(({ events }) => events);

/** The time of an event, by its run and seq. */
const timeAt = (run: number, seq: number) => RECORDED[run]!.events.find((each) => each.seq === seq)!.at;
const find = <Kind extends TimelineRow['kind']>({ rows }: RunTimeline, kind: Kind) =>
  rows.filter((row): row is Extract<TimelineRow, { kind: Kind }> => row.kind === kind);

function toLog(...events: readonly [at: number, event: RunEvent][]): RecordedEvent[] {
  return events.map(([at, event], index) => ({
    runId: 'run',
    threadId: 'thread',
    seq: index + 1,
    epoch: 1,
    at,
    event,
  }));
}

describe('foldTimeline', () => {
  const timeline = foldTimeline(LOG);

  it('shows the time in which nobody had the run after each death', () => {
    expect(find(timeline, 'dead')).toMatchObject([
      { from: timeAt(0, 10), to: timeAt(0, 11), reason: 'restart', attempt: 2, depth: 0 },
      { from: timeAt(0, 60), to: timeAt(0, 61), reason: 'restart', attempt: 3 },
    ]);
    expect(timeline.attempts).toBe(3);
  });

  it('shows what was superseded, by whom, and why', () => {
    expect(timeline.replaced).toMatchObject([
      { text: 'The invoice of Eve is due ', reason: 'restart', attempt: 1 },
      { text: 'Let me ', reason: 'retry', attempt: 2 },
    ]);
    const cut = timeline.rows.filter(({ state }) => state === 'cut');
    expect(cut.map((row) => [row.kind, row.to, 'replaced' in row && row.replaced])).toEqual([
      ['step', timeAt(0, 10), 'restart'],
      ['step', timeAt(0, 10), 'restart'],
      ['text', timeAt(0, 10), 'restart'],
      ['step', timeAt(0, 60), 'restart'],
      ['step', timeAt(0, 60), 'restart'],
      ['tool', timeAt(0, 60), 'restart'],
    ]);
  });

  it('shows each model call with its own times, its text and its failure', () => {
    const calls = find(timeline, 'model-call');
    const reports = LOG.flatMap(({ event, at }) => (event.type === 'usage' ? [{ ...event, at }] : []));
    expect(calls).toHaveLength(reports.length);
    for (const report of reports) {
      const call = calls.find(({ to }) => to === report.at)!;
      expect(call).toMatchObject({
        from: report.at - report.durationMs!,
        firstTokenAt: report.at - report.durationMs! + report.firstTokenMs!,
        state: report.failed ? 'failed' : 'done',
        model: 'speaker-1',
        usage: { outputTokens: report.outputTokens },
      });
    }
    expect(calls.map(({ texts }) => texts.map(({ text }) => text).join(''))).toEqual([
      'The invoice of Eve is due on Friday, and it is in pounds. ',
      'Let me ',
      'I look up the rates and the news. ',
      'Let me ',
      '',
      'Eve is paid. The rate was 1.17, and no news matter.',
    ]);
    const [first] = calls;
    expect(first!.tokensPerSecond).toBeCloseTo((13 * 1_000) / (255 - 61));
  });

  it('shows parallel tools beside each other, and a failing one', () => {
    const tools = find(timeline, 'tool');
    expect(tools.map(({ toolName, state, outcome }) => [toolName, state, outcome])).toEqual([
      ['rates', 'cut', undefined],
      ['news', 'failed', 'error'],
      ['rates', 'done', 'ok'],
      ['pay', 'done', 'ok'],
    ]);
    expect(tools[1]!.from).toBeLessThan(tools[0]!.to!);
  });

  it('shows the wait for a person over both runs, and what the person has changed', () => {
    const { createdAt } = RECORDED[1]!.run;
    const [wait] = find(timeline, 'wait');
    expect(wait).toMatchObject({
      asked: 'approval',
      label: 'Paying Eve',
      state: 'done',
      decision: 'edit',
      by: 'local',
      input: { amount: 500 },
      edited: { amount: 450 },
    });
    expect(Math.abs(wait!.to! - createdAt)).toBeLessThan(10);
    expect(find(timeline, 'queue')).toMatchObject([{ to: timeAt(1, 1), state: 'done' }]);
  });

  it('puts the steps of a sub-agent under it', () => {
    const [outer, inner, text] = timeline.rows;
    expect([outer, inner, text]).toMatchObject([
      { kind: 'step', name: 'researcher', depth: 0 },
      { kind: 'step', name: 'model_request', depth: 1 },
      { kind: 'text', depth: 2 },
    ]);
  });

  it('leaves open what goes on, and waiting what nobody has answered', () => {
    const untilTool = foldTimeline(LOG.slice(0, 58));
    expect(untilTool.outcome).toBeUndefined();
    expect(find(untilTool, 'tool').map(({ state, to }) => [state, to])).toEqual([
      ['open', undefined],
      ['open', undefined],
    ]);
    const [wait] = find(foldTimeline(RECORDED[0]!.events), 'wait');
    expect(wait).toMatchObject({ state: 'waiting' });
    expect(wait).not.toHaveProperty('to');
  });

  it('says where a compacted log jumps, and keeps all rows but for their words', () => {
    expect(timeline.jumps).toEqual([]);
    const compacted = foldTimeline(RECORDED.flatMap(({ events }) => compactLog(events)));
    expect(compacted.jumps.length).toBeGreaterThan(0);
    const toFacts = (row: TimelineRow) => [row.kind, row.from, row.to, row.state, row.replaced, row.attempt];
    expect(compacted.rows.map(toFacts)).toEqual(timeline.rows.map(toFacts));
    expect(compacted.replaced.map(({ text }) => text)).toEqual(timeline.replaced.map(({ text }) => text));
  });

  it('reads logs of earlier versions, which have no times of model calls', () => {
    const [run] = readRuns('takeover');
    const old = foldTimeline(run!.log);
    expect(find(old, 'model-call')).toMatchObject([
      { texts: [{ text: 'Two things: ' }], from: run!.log[2]!.at, to: run!.log[5]!.at },
      { texts: [{ text: 'All done.' }] },
    ]);
  });

  it('tells the model calls of parallel branches apart', () => {
    const step = (stepId: string): RunEvent => ({ type: 'step-start', stepId, name: stepId, attempt: 1 });
    const begun = (partId: string, stepId: string): RunEvent => ({
      type: 'text-start',
      partId,
      stepId,
      messageId: 'm',
    });
    const said = (partId: string, delta: string): RunEvent => ({ type: 'text-delta', partId, delta });
    const counts = { inputTokens: 1, outputTokens: 1, totalTokens: 2, model: 'm' };
    const parallel = foldTimeline(
      toLog(
        [10, step('a')],
        [11, step('b')],
        [20, begun('p1', 'a')],
        [21, begun('p2', 'b')],
        [22, said('p2', 'B')],
        [23, said('p1', 'A')],
        [30, { type: 'text-end', partId: 'p2' }],
        [31, { type: 'text-end', partId: 'p1' }],
        [32, { type: 'usage', ...counts, stepId: 'a', durationMs: 20, firstTokenMs: 8 }],
        [33, { type: 'usage', ...counts, stepId: 'b', durationMs: 20, firstTokenMs: 8 }],
      ),
    );
    expect(find(parallel, 'model-call').map(({ stepId, texts }) => [stepId, texts[0]?.text])).toEqual([
      ['a', 'A'],
      ['b', 'B'],
    ]);
  });

  it('has an end for every row of any run that has ended, and each inside its time', () => {
    fc.assert(
      fc.property(runLogs(), (log) => {
        const { rows, from, to } = foldTimeline(log);
        for (const row of rows) {
          if (row.state === 'waiting') continue;
          expect(row).toMatchObject({ to: expect.any(Number) });
          expect(row.from).toBeLessThanOrEqual(row.to!);
          expect(row.from).toBeGreaterThanOrEqual(from);
          expect(row.to).toBeLessThanOrEqual(to);
          expect(row.first).toBeLessThanOrEqual(row.last);
        }
      }),
    );
  });
});

describe('measureRun', () => {
  it('shares out all of the time', () => {
    fc.assert(
      fc.property(runLogs(), (log) => {
        const { tookMs, shares } = measureRun(foldTimeline(log));
        expect(TIME_SHARES.reduce((sum, share) => sum + shares[share], 0)).toBe(tookMs);
      }),
    );
  });

  it('says where the time of a run went that was killed twice', () => {
    const timeline = foldTimeline(LOG);
    const figures = measureRun(timeline);
    const dead = timeAt(0, 11) - timeAt(0, 10) + timeAt(0, 61) - timeAt(0, 60);
    expect(figures).toMatchObject({
      tookMs: timeAt(1, 25) - timeAt(0, 1),
      firstWordMs: timeAt(0, 4) - timeAt(0, 1),
      modelCalls: 6,
      failedModelCalls: 2,
      toolCalls: 4,
      failedToolCalls: 1,
      usage: { inputTokens: 4, outputTokens: 33, totalTokens: 37 },
      slowestTool: { toolName: 'rates' },
    });
    expect(figures.shares.dead).toBe(dead);
    expect(figures.shares.person).toBeGreaterThan(0);
  });
});

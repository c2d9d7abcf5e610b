import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { AppError } from '../errors.js';
import type { RecordedEvent } from '../events/recorded-event.js';
import type { RunEnd, RunEvent } from '../events/run-event.js';
import { EventLog, type AppendBatch, type AppendResult, type LogPage } from './event-log.js';
import { GroupCommit } from './group-commit.js';
import { RunRecorder, type RecordedRun } from './run.recorder.js';

/** A log whose appends are answered by hand. */
class HandLog extends EventLog {
  readonly asked: { readonly batch: AppendBatch; readonly answer: (result: AppendResult | Error) => void }[] =
    [];

  append(batches: readonly AppendBatch[]): Promise<readonly AppendResult[]> {
    const { promise, resolve, reject } = Promise.withResolvers<readonly AppendResult[]>();
    for (const batch of batches) {
      const answer = (result: AppendResult | Error) =>
        result instanceof Error ? reject(result) : resolve([result]);
      this.asked.push({ batch, answer });
    }
    return promise;
  }

  async readPage(): Promise<LogPage> {
    return { events: [], atTail: true, bytes: 0 };
  }
}

const END: RunEnd = {
  type: 'end',
  outcome: 'completed',
  usage: { inputTokens: 0, outputTokens: 0, totalTokens: 0 },
  durationMs: 0,
};
const START: RunEvent = { type: 'run-start', agent: 'a', messageId: 'm' };
const word = (delta: string, partId = 'p'): RunEvent => ({ type: 'text-delta', partId, delta });
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

function recorderOver(log: EventLog, { lastSeq = 0, intervalMs = 500 } = {}) {
  const committed: RecordedEvent[] = [];
  const lost: (AppError | 'fenced')[] = [];
  const run: RecordedRun = {
    runId: 'run',
    threadId: 'thread',
    epoch: 3,
    lastSeq,
    onCommitted: (events) => void committed.push(...events),
    onLost: (reason) => void lost.push(reason),
  };
  const recorder = new RunRecorder(run, new GroupCommit(log, intervalMs), () => 1_000);
  return { recorder, committed, lost };
}

const listDeltas = (batch: AppendBatch | undefined) =>
  batch?.events.map(({ event }) => ('delta' in event ? event.delta : event.type));

describe('RunRecorder', () => {
  it('passes on no event before its append is acknowledged', async () => {
    const log = new HandLog();
    const { recorder, committed } = recorderOver(log);
    void recorder.emit(START);
    recorder.commitNow();
    await turn();
    expect(log.asked).toHaveLength(1);
    expect(committed).toEqual([]);
    log.asked[0]?.answer('appended');
    await turn();
    expect(committed).toEqual([
      { runId: 'run', threadId: 'thread', seq: 1, epoch: 3, at: 1_000, event: START },
    ]);
  });

  it('numbers events without gaps over any number of commits and keeps every word', async () => {
    const said = fc.record({
      part: fc.constantFrom('p', 'q'),
      delta: fc.string({ minLength: 1, maxLength: 6 }),
      commits: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(said), fc.nat(), async (script, lastSeq) => {
        const log = new HandLog();
        const { recorder, committed } = recorderOver(log, { lastSeq });
        for (const { part, delta, commits } of script) {
          void recorder.emit(word(delta, part));
          if (commits) recorder.commitNow();
        }
        const ended = recorder.end(END);
        for (const { answer } of log.asked) answer('appended');
        await ended;
        expect(committed.map(({ seq }) => seq)).toEqual(committed.map((_, index) => lastSeq + 1 + index));
        for (const part of ['p', 'q']) {
          const spoken = script.filter((line) => line.part === part).map(({ delta }) => delta);
          const recorded = committed.map(({ event }) =>
            event.type === 'text-delta' && event.partId === part ? event.delta : '',
          );
          expect(recorded.join('')).toBe(spoken.join(''));
        }
        expect(committed.at(-1)?.event).toEqual(END);
      }),
    );
  });

  it('joins neighbouring deltas of one part within a commit', () => {
    const log = new HandLog();
    const { recorder } = recorderOver(log);
    for (const event of [word('a'), word('b'), word('x', 'q'), word('c'), START, word('d')])
      void recorder.emit(event);
    void recorder.emit({ type: 'reasoning-delta', partId: 'p', delta: 'r' });
    recorder.commitNow();
    void recorder.emit(word('e'));
    recorder.commitNow();
    expect(log.asked.map(({ batch }) => listDeltas(batch))).toEqual([
      ['ab', 'x', 'c', 'run-start', 'd', 'r'],
      ['e'],
    ]);
  });

  it('joins deltas up to 4,096 characters', () => {
    const log = new HandLog();
    const { recorder } = recorderOver(log);
    for (const size of [4_000, 96, 1]) void recorder.emit(word('x'.repeat(size)));
    recorder.commitNow();
    expect(listDeltas(log.asked[0]?.batch)?.map(({ length }) => length)).toEqual([4_096, 1]);
  });

  it('commits the first text at once and lets later text wait for other events', async () => {
    const log = new HandLog();
    const { recorder } = recorderOver(log);
    void recorder.emit(word('first'));
    await turn();
    expect(log.asked).toHaveLength(1);
    void recorder.emit(word('second'));
    await turn();
    expect(log.asked).toHaveLength(1);
    recorder.commitNow();
  });

  it.each<RunEvent>([
    { type: 'step-start', stepId: 's', name: 'n', attempt: 1 },
    { type: 'tool-start', toolCallId: 'c', toolName: 't', stepId: 's', messageId: 'm', label: 'L' },
    { type: 'tool-end', toolCallId: 'c', outcome: 'ok', durationMs: 1 },
    { type: 'text-end', partId: 'p' },
  ])('commits the boundary event $type at once', async (event) => {
    const log = new HandLog();
    const { recorder } = recorderOver(log);
    void recorder.emit(event);
    await turn();
    expect(log.asked).toHaveLength(1);
  });

  it('makes the agent wait while too much of its output is not acknowledged', async () => {
    const log = new HandLog();
    const { recorder } = recorderOver(log);
    expect(recorder.emit(word('x'.repeat(256 * 1024)))).toBeUndefined();
    const waiting = recorder.emit(word('y'));
    let resumed = false;
    void waiting?.then(() => (resumed = true));
    recorder.commitNow();
    await turn();
    expect(waiting).toBeInstanceOf(Promise);
    expect(resumed).toBe(false);
    for (const { answer } of log.asked) answer('appended');
    await waiting;
    expect(recorder.emit(word('z'))).toBeUndefined();
    recorder.commitNow();
  });

  it('stops recording when it is fenced, reports it once, drops later events and wakes all waiters', async () => {
    const log = new HandLog();
    const { recorder, committed, lost } = recorderOver(log);
    void recorder.emit(word('x'.repeat(256 * 1024)));
    const waiting = recorder.emit(word('y'));
    recorder.commitNow();
    void recorder.emit(START);
    recorder.commitNow();
    for (const { answer } of log.asked) answer('fenced');
    await waiting;
    await turn();
    expect(lost).toEqual(['fenced']);
    expect(recorder.emit(START)).toBeUndefined();
    await recorder.end(END);
    expect(committed).toEqual([]);
    expect(log.asked).toHaveLength(2);
  });

  it('reports a run lost when its log cannot be written', async () => {
    const log = new HandLog();
    const { recorder, lost } = recorderOver(log);
    void recorder.emit(START);
    const ended = recorder.end(END);
    log.asked[0]?.answer(new Error('disk'));
    await ended;
    expect(lost).toEqual([expect.objectContaining({ code: 'STORAGE_FAILED' })]);
  });

  it('stores the end of the run in the batch of its end event, and drops later events', async () => {
    const log = new HandLog();
    const { recorder, committed } = recorderOver(log);
    const ended = recorder.end({
      ...END,
      outcome: 'failed',
      error: { code: 'C', message: 'M', retryable: true },
    });
    void recorder.emit(START);
    log.asked[0]?.answer('appended');
    await ended;
    expect(log.asked[0]?.batch.ending).toEqual({
      outcome: 'failed',
      usage: END.usage,
      error: { code: 'C', message: 'M', retryable: true },
    });
    expect(committed.map(({ event }) => event.type)).toEqual(['end']);
  });

  it('flushes what was emitted before, without waiting for later text', async () => {
    const log = new HandLog();
    const { recorder } = recorderOver(log);
    void recorder.emit(START);
    const durable = recorder.flush();
    void recorder.emit(word('meanwhile'));
    recorder.commitNow();
    expect(log.asked).toHaveLength(2);
    log.asked[0]?.answer('appended');
    // The second append is never answered.
    await durable;
    recorder.abandon();
  });

  it('writes no events after a run was abandoned', async () => {
    const log = new HandLog();
    const { recorder, committed, lost } = recorderOver(log);
    void recorder.emit(START);
    recorder.commitNow();
    void recorder.emit(START);
    recorder.abandon();
    await recorder.flush();
    log.asked[0]?.answer('appended');
    await turn();
    expect(log.asked).toHaveLength(1);
    expect([committed, lost]).toEqual([[], []]);
  });

  it('tracks open items before they are committed', () => {
    const { recorder } = recorderOver(new HandLog());
    void recorder.emit({ type: 'step-start', stepId: 's', name: 'n', attempt: 1 });
    void recorder.emit({ type: 'text-start', partId: 'p', stepId: 's', messageId: 'm' });
    expect(recorder.open).toMatchObject({ parts: [{ partId: 'p' }], steps: [{ stepId: 's' }] });
    recorder.abandon();
  });
});

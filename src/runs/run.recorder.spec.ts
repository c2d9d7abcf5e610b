import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { AppError } from '../errors.js';
import type { RecordedEvent } from '../events/recorded-event.js';
import type { RunEnd, RunEvent } from '../events/run-event.js';
import { EventLog, type AppendBatch, type AppendResult } from './event.log.js';
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

  async read(): Promise<readonly never[]> {
    return [];
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

const deltasOf = (batch: AppendBatch | undefined) =>
  batch?.events.map(({ event }) => ('delta' in event ? event.delta : event.type));

describe('run recorder', () => {
  it('shows nothing before its append has been acknowledged', async () => {
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

  it('numbers without a gap from where the log ends, over however many commits, and keeps every word', async () => {
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

  it('joins the deltas of one commit that are neighbours in one part', () => {
    const log = new HandLog();
    const { recorder } = recorderOver(log);
    for (const event of [word('a'), word('b'), word('x', 'q'), word('c'), START, word('d')])
      void recorder.emit(event);
    void recorder.emit({ type: 'reasoning-delta', partId: 'p', delta: 'r' });
    recorder.commitNow();
    void recorder.emit(word('e'));
    recorder.commitNow();
    expect(log.asked.map(({ batch }) => deltasOf(batch))).toEqual([
      ['ab', 'x', 'c', 'run-start', 'd', 'r'],
      ['e'],
    ]);
  });

  it('joins up to 4,096 characters', () => {
    const log = new HandLog();
    const { recorder } = recorderOver(log);
    for (const size of [4_000, 96, 1]) void recorder.emit(word('x'.repeat(size)));
    recorder.commitNow();
    expect(deltasOf(log.asked[0]?.batch)?.map(({ length }) => length)).toEqual([4_096, 1]);
  });

  it('commits the first words in the same turn, and the next ones in company', async () => {
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
  ])('commits a boundary in the same turn: $type', async (event) => {
    const log = new HandLog();
    const { recorder } = recorderOver(log);
    void recorder.emit(event);
    await turn();
    expect(log.asked).toHaveLength(1);
  });

  it('asks its source to wait while too much is not acknowledged, and no longer', async () => {
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

  it('stops once it is fenced: says so once, drops what comes, and lets nobody wait', async () => {
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

  it('is lost when the log cannot be written', async () => {
    const log = new HandLog();
    const { recorder, lost } = recorderOver(log);
    void recorder.emit(START);
    const ended = recorder.end(END);
    log.asked[0]?.answer(new Error('disk'));
    await ended;
    expect(lost).toEqual([expect.objectContaining({ code: 'STORAGE_FAILED' })]);
  });

  it('closes with its end: the run record gets it in the same batch, and nothing follows', async () => {
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

  it('waits for what was emitted before, and not for the words that go on meanwhile', async () => {
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

  it('writes nothing more after it was abandoned', async () => {
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

  it('knows what is open, counting what is not committed yet', () => {
    const { recorder } = recorderOver(new HandLog());
    void recorder.emit({ type: 'step-start', stepId: 's', name: 'n', attempt: 1 });
    void recorder.emit({ type: 'text-start', partId: 'p', stepId: 's', messageId: 'm' });
    expect(recorder.open).toMatchObject({ parts: [{ partId: 'p' }], steps: [{ stepId: 's' }] });
    recorder.abandon();
  });
});

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AppError } from '../errors.js';
import { EventLog, type AppendBatch, type AppendResult, type LogPage } from './event-log.js';
import { GroupCommit, type CommitSource } from './group-commit.js';
import { recordedAll } from './run.testing.js';

/** Notes each append and answers it as told. */
class NotedLog extends EventLog {
  readonly appends: (readonly AppendBatch[])[] = [];
  answer: () => Promise<readonly AppendResult[]> = async () =>
    this.appends.at(-1)?.map(() => 'appended') ?? [];

  append(batches: readonly AppendBatch[]): Promise<readonly AppendResult[]> {
    this.appends.push(batches);
    return this.answer();
  }

  async readPage(): Promise<LogPage> {
    return { events: [], atTail: true, bytes: 0 };
  }
}

class Source implements CommitSource {
  readonly settled: (AppendResult | AppError)[] = [];
  private seq = 0;
  private waiting = 0;

  constructor(readonly runId: string) {}

  say(): this {
    this.waiting += 1;
    return this;
  }

  takeBatch(): AppendBatch | undefined {
    if (this.waiting === 0) return undefined;
    const afterSeq = this.seq;
    this.seq += this.waiting;
    const events = recordedAll(
      Array.from({ length: this.waiting }, () => ({ type: 'custom', name: 'n', data: 1 })),
    );
    this.waiting = 0;
    return { runId: this.runId, epoch: 1, afterSeq, events };
  }

  settle(_batch: AppendBatch, result: AppendResult | AppError): void {
    this.settled.push(result);
  }
}

const listRuns = (log: NotedLog) => log.appends.map((batches) => batches.map(({ runId }) => runId));

describe('GroupCommit', () => {
  let log: NotedLog;
  let commits: GroupCommit;

  beforeEach(() => {
    jest.useFakeTimers();
    log = new NotedLog();
    commits = new GroupCommit(log, 10);
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  it('appends the events of many runs in one call, in the order in which they came', async () => {
    const sources = ['b', 'a', 'c'].map((runId) => new Source(runId));
    for (const source of sources) commits.schedule(source.say(), 'now');
    for (const source of sources) commits.schedule(source.say(), 'now');
    expect(log.appends).toEqual([]);
    await jest.advanceTimersByTimeAsync(0);
    expect(listRuns(log)).toEqual([['b', 'a', 'c']]);
    expect(log.appends[0]?.map(({ events }) => events.length)).toEqual([2, 2, 2]);
    expect(sources.map(({ settled }) => settled)).toEqual([['appended'], ['appended'], ['appended']]);
  });

  it('delays a text token at most for the interval, together with other runs', async () => {
    const [first, second] = [new Source('a'), new Source('b')];
    commits.schedule(first.say(), 'soon');
    await jest.advanceTimersByTimeAsync(6);
    commits.schedule(second.say(), 'soon');
    await jest.advanceTimersByTimeAsync(3);
    expect(log.appends).toHaveLength(0);
    await jest.advanceTimersByTimeAsync(1);
    expect(listRuns(log)).toEqual([['a', 'b']]);
  });

  it('delays tokens longer while many runs are active, never urgent events, and shortens the delay again', async () => {
    const crowd = Array.from({ length: 200 }, (_, index) => new Source(`run-${index}`));
    for (const source of crowd) commits.schedule(source.say(), 'soon');
    await jest.advanceTimersByTimeAsync(10);
    expect(log.appends).toHaveLength(1);

    for (const source of crowd) commits.schedule(source.say(), 'soon');
    await jest.advanceTimersByTimeAsync(59);
    expect(log.appends).toHaveLength(1);
    await jest.advanceTimersByTimeAsync(1);
    expect(log.appends).toHaveLength(2);

    commits.schedule(new Source('urgent').say(), 'now');
    await jest.advanceTimersByTimeAsync(0);
    expect(listRuns(log).at(-1)).toEqual(['urgent']);

    const alone = new Source('alone');
    for (let commit = 0; commit < 8; commit += 1) {
      commits.schedule(alone.say(), 'soon');
      await jest.advanceTimersByTimeAsync(60);
    }
    const { length } = log.appends;
    commits.schedule(alone.say(), 'soon');
    await jest.advanceTimersByTimeAsync(10);
    expect(log.appends).toHaveLength(length + 1);
  });

  it('commits waiting events together with urgent ones and leaves no timer', async () => {
    commits.schedule(new Source('patient').say(), 'soon');
    commits.schedule(new Source('urgent').say(), 'now');
    await jest.advanceTimersByTimeAsync(0);
    expect(listRuns(log)).toEqual([['patient', 'urgent']]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('appends the events of one source before commitNow returns', () => {
    const [one, other] = [new Source('one'), new Source('other')];
    commits.schedule(other.say(), 'soon');
    commits.schedule(one.say(), 'soon');
    commits.commitNow(one);
    expect(listRuns(log)).toEqual([['one']]);
  });

  it('starts an append before the last one has returned, and keeps the order', async () => {
    const release: (() => void)[] = [];
    log.answer = () => new Promise((resolve) => release.push(() => resolve(['appended'])));
    const source = new Source('a');
    commits.commitNow(source.say());
    commits.commitNow(source.say());
    expect(log.appends.map(([batch]) => batch?.afterSeq)).toEqual([0, 1]);
    for (const resolve of release) resolve();
    await jest.advanceTimersByTimeAsync(0);
    expect(source.settled).toEqual(['appended', 'appended']);
  });

  it('does not append when no source has events', async () => {
    commits.schedule(new Source('a'), 'now');
    commits.commitNow(new Source('b'));
    await jest.advanceTimersByTimeAsync(20);
    expect(log.appends).toEqual([]);
  });

  it('reports a failed append to every run of the commit', async () => {
    log.answer = () => Promise.reject(new Error('disk'));
    const sources = [new Source('a'), new Source('b')];
    for (const source of sources) commits.schedule(source.say(), 'now');
    await jest.advanceTimersByTimeAsync(0);
    for (const { settled } of sources) {
      expect(settled).toEqual([expect.objectContaining({ name: 'AppError', code: 'STORAGE_FAILED' })]);
    }
  });

  it('reports to each run of the commit its own result', async () => {
    log.answer = async () => ['appended', 'fenced'];
    const sources = [new Source('a'), new Source('b')];
    for (const source of sources) commits.schedule(source.say(), 'now');
    await jest.advanceTimersByTimeAsync(0);
    expect(sources.map(({ settled }) => settled)).toEqual([['appended'], ['fenced']]);
  });

  it('passes on the error of the storage to the run', async () => {
    const failure = new AppError('STORAGE_FAILED', 'The disk is full.');
    log.answer = () => Promise.reject(failure);
    const source = new Source('a');
    commits.commitNow(source.say());
    await jest.advanceTimersByTimeAsync(0);
    expect(source.settled).toEqual([failure]);
  });
});

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DatabaseSync } from 'node:sqlite';
import type { NewRunRow } from './run-operations.js';
import { migrate } from './migrate.js';
import type { Call } from './protocol.js';
import { KEY } from './thread-names.js';
import { transactionsOn, type Transactions } from './transactions.js';

type AnyCall = Pick<Call, 'operation' | 'input'>;

const ALICE = { tenant: 'acme', userId: 'alice' };

describe('transactions of the SQLite worker', () => {
  let db: DatabaseSync;
  let transact: Transactions['transact'];

  beforeEach(() => {
    db = new DatabaseSync(':memory:');
    migrate(db);
    ({ transact } = transactionsOn(db));
  });
  afterEach(() => db.close());

  it('keeps the other calls of a transaction when one call fails', () => {
    const outcomes = transact([createRun('r1'), createRun('r1', 't2'), createRun('r3')]);
    expect(outcomes).toMatchObject([
      { value: { outcome: 'created' } },
      { problem: { code: 'STORAGE_FAILED', cause: expect.stringContaining('UNIQUE constraint failed') } },
      { value: { outcome: 'created' } },
    ]);
    // The thread, made before the run was refused, went with it.
    expect(transact([{ operation: 'getThread', input: { ...ALICE, threadId: 't2' } }])).toEqual([
      { value: undefined },
    ]);
  });

  it('shows in a later call of a transaction what an earlier one did', () => {
    const [, claimed] = transact([createRun('r1'), claim()]);
    expect(claimed).toMatchObject({ value: { id: 'r1', epoch: 1 } });
  });

  it('makes each call of a transaction once when another one among them fails', () => {
    transact([createRun('r1')]);
    const outcomes = transact([claim(), createRun('r1', 't2'), append(0, 'x'), append(1, 'y')]);
    expect(outcomes).toMatchObject([
      { value: { id: 'r1', epoch: 1 } },
      { problem: { code: 'STORAGE_FAILED' } },
      { value: ['appended'] },
      { value: ['appended'] },
    ]);
    expect(transact([read()])).toMatchObject([{ value: { batches: [{ frames: 'x' }, { frames: 'y' }] } }]);
  });

  it.each([
    ['alone', [append(1, 'y'.repeat(100_000))]],
    ['among others', [append(1, 'y'.repeat(100_000)), append(2, 'z'.repeat(100_000))]],
  ])(
    'reports a full disk to a call %s, keeps earlier data, and works again when there is room',
    (_, calls) => {
      transact([createRun('r1'), claim(), append(0, 'x')]);
      const pages = Number(db.prepare('PRAGMA page_count').get()?.['page_count']);
      db.exec(`PRAGMA max_page_count = ${pages}`);
      const outcomes = transact(calls);
      for (const outcome of outcomes)
        expect(outcome).toMatchObject({
          problem: { code: 'STORAGE_FAILED', message: expect.stringContaining('is full') },
        });
      expect(db.isTransaction).toBe(false);
      db.exec('PRAGMA max_page_count = 100000');
      expect(transact([append(1, 'y'), read()])).toMatchObject([
        { value: ['appended'] },
        { value: { batches: [{ frames: 'x' }, { frames: 'y' }] } },
      ]);
    },
  );

  it('appends only at the end of a log, for its current owner, even after a failed batch', () => {
    const at = (epoch: number, afterSeq: number, ...frames: (string | null)[]): AnyCall => {
      const batches = frames.map((text, index) => ({
        runId: 'r1',
        epoch,
        afterSeq: afterSeq + index,
        lastSeq: afterSeq + index + 1,
        frames: text,
      }));
      return { operation: 'append', input: { batches, now: 1 } };
    };
    transact([createRun('r1'), claim(), at(1, 0, 'a')]);
    // Its second batch fails, and the first goes with it.
    expect(transact([at(1, 1, 'b', null)])).toMatchObject([{ problem: { code: 'STORAGE_FAILED' } }]);
    expect(transact([at(1, 2, 'c'), at(1, 1, 'b')])).toEqual([
      { value: ['fenced'] },
      { value: ['appended'] },
    ]);
    // The lease has run out: what the old owner still sends is refused.
    expect(transact([claim(5_000)])).toMatchObject([{ value: { epoch: 2, last_seq: 2 } }]);
    expect(transact([at(1, 2, 'c'), at(2, 2, 'c')])).toEqual([
      { value: ['fenced'] },
      { value: ['appended'] },
    ]);
    transact([{ operation: 'deleteThread', input: { ...ALICE, threadId: 'thread-of-r1' } }]);
    expect(transact([at(2, 3, 'd')])).toEqual([{ value: ['fenced'] }]);
  });

  it('reads logs, thread pages and waiting runs by index, without sorting', () => {
    const plan = (sql: string) =>
      db
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map((row) => String(row['detail']))
        .join('\n');
    expect(plan('SELECT frames FROM batches WHERE run = 1 AND last_seq > 5 ORDER BY last_seq')).toBe(
      'SEARCH batches USING INDEX batches_of_run (run=? AND last_seq>?)',
    );
    expect(
      plan(
        "SELECT * FROM threads WHERE tenant = 'a' AND user_id = 'b' ORDER BY updated_at DESC, ordinal DESC",
      ),
    ).toBe('SEARCH threads USING INDEX threads_of_owner (tenant=? AND user_id=?)');
    // By the index of keys, or by that of names.
    expect(plan(KEY)).toContain('SEARCH threads USING INDEX sqlite_autoindex_threads_1 (id=?)');
    expect(plan(KEY)).toContain(
      'SEARCH threads USING INDEX threads_by_name (tenant=? AND user_id=? AND name=?)',
    );
    expect(plan('SELECT ordinal FROM runs WHERE ended_at IS NULL ORDER BY ordinal LIMIT 1')).toBe(
      'SCAN runs USING INDEX runs_unended_by_age',
    );
    const cost = "json_extract(usage, '$.costMicros')";
    expect(
      plan(`SELECT status FROM runs INDEXED BY runs_by_cost WHERE ${cost} IS NOT NULL
        AND ${cost} <= 9 AND (${cost} < 9 OR ordinal < 9) ORDER BY ${cost} DESC, ordinal DESC`),
    ).toBe('SEARCH runs USING INDEX runs_by_cost (<expr><?)');
  });
});

function createRun(id: string, threadId = `thread-of-${id}`): AnyCall {
  const run: NewRunRow = {
    id,
    threadId,
    agent: 'assistant',
    ...ALICE,
    roles: '[]',
    message: 'Hello',
    metadata: '{}',
    messageId: 'm1',
    given: null,
    resumeOf: null,
    traceparent: null,
    idempotencyKey: null,
    fingerprint: null,
    now: 1,
  };
  return {
    operation: 'createRun',
    input: {
      run,
      title: 'Hello',
      thread: 'any',
      newThreadKey: id,
      whenBusy: 'queue',
      whenAwaiting: 'deny',
      fileIds: [],
    },
  };
}

function claim(now = 1): AnyCall {
  return { operation: 'claimRun', input: { ownerId: 'owner', leaseMs: 1_000, epochStep: 1, now } };
}

function append(afterSeq: number, frames: string): AnyCall {
  const batch = { runId: 'r1', epoch: 1, afterSeq, lastSeq: afterSeq + 1, frames };
  return { operation: 'append', input: { batches: [batch], now: 1 } };
}

function read(): AnyCall {
  return { operation: 'readLog', input: { runId: 'r1', afterSeq: 0, limit: 10, maxBytes: 1_000 } };
}

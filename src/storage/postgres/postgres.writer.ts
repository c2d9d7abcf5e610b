import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { AppError } from '../../errors.js';
import type { AppendBatch, AppendResult } from '../../runs/event-log.js';
import { toRounds, type AppendRow } from './append-rounds.js';
import { appendRows, appendTexts, type AppendTexts } from './append-statement.js';
import { backoffMs } from './backoff.js';
import { isPassing, storageFailure } from './postgres.errors.js';
import { TailCache } from './tail.cache.js';
import { inTransaction, createPool, statementsOn, type Statements } from './postgres.database.js';

/** A request to the writer: batches to append, or something else to store in the same transaction. */
interface Write {
  readonly prepared: Promise<readonly AppendBatch[] | Store>;
  /** The runs whose logs it makes longer. */
  readonly runs: ReadonlySet<string>;
  readonly settled: Promise<unknown>;
  resolve(value: unknown): void;
  reject(reason: unknown): void;
}

/** Stores something. Called again when the attempt before it came to no known end: doing it twice has to be the same. */
export type Store<Result = unknown> = (tx: Statements) => Promise<Result>;

/** Something to do in a transaction: one round of rows of several writes, or one write's own statements. */
type Part =
  | { readonly rows: readonly AppendRow[]; readonly results: AppendResult[] }
  | { readonly store: Store; readonly done: (value: unknown) => void };

/** True if an attempt came to no known end, so that the next has to look for its effects. */
interface Tried {
  isRetry: boolean;
}

/**
 * The one connection over which this process writes logs and checkpoints, in the order in which it was asked to. What
 * is asked for while a transaction is under way goes into the next, all of it: the busier the database, the more there is in
 * each. What is asked for in one turn of the event loop is never divided, so that a step's end and its checkpoint are
 * durable together or not at all.
 *
 * A database that is away is waited for. The transaction that was under way is then sent again, and the log itself tells
 * whether it had been committed.
 */
export class PostgresWriter {
  /** Ends of the logs that this process has written. */
  readonly tails = new TailCache();
  private readonly pool: Pool;
  private readonly texts: AppendTexts;
  private readonly closing = new AbortController();
  private waiting: Write[] = [];
  private underWay: readonly Write[] = [];
  private work: Promise<void> | undefined;
  private closed: Promise<void> | undefined;

  constructor(
    private readonly options: { readonly url: string; readonly schema: string; readonly patienceMs: number },
  ) {
    this.pool = createPool(options.url, 1);
    this.texts = appendTexts(options.schema);
  }

  async append(batches: readonly AppendBatch[]): Promise<readonly AppendResult[]> {
    const runs = new Set(batches.map(({ runId }) => runId));
    const results = (await this.add(Promise.resolve(batches), runs)) as readonly AppendResult[];
    this.tails.note(batches, results);
    return results;
  }

  /** Keeps its place in the order also while it is prepared. */
  store<Result>(prepared: Promise<Store<Result>>): Promise<Result> {
    return this.add(prepared) as Promise<Result>;
  }

  /** Resolves when all that was asked to be appended to this run is, or has failed. At once when there is nothing. */
  async settled(runId: string): Promise<void> {
    const writes = [...this.underWay, ...this.waiting].filter(({ runs }) => runs.has(runId));
    if (writes.length > 0) await Promise.allSettled(writes.map(({ settled }) => settled));
  }

  /** Takes nothing more and does what it has, unless the database is away. */
  close(): Promise<void> {
    this.closing.abort();
    this.closed ??= (this.work ?? Promise.resolve()).then(() => this.pool.end());
    return this.closed;
  }

  private add(prepared: Write['prepared'], runs: ReadonlySet<string> = new Set()): Promise<unknown> {
    // What cannot be prepared is told when its turn comes; until then it must not count as an unhandled rejection.
    prepared.catch(() => undefined);
    if (this.closing.signal.aborted) {
      return Promise.reject(new AppError('STORAGE_FAILED', 'The storage is closed.'));
    }
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.waiting.push({ prepared, runs, settled: promise, resolve, reject });
    this.work ??= new Promise(setImmediate).then(() => this.workOff());
    return promise;
  }

  private async workOff(): Promise<void> {
    while (this.waiting.length > 0) {
      this.underWay = this.waiting;
      this.waiting = [];
      await this.commit(this.underWay);
    }
    this.underWay = [];
    this.work = undefined;
  }

  /** Never rejects: each write learns for itself what became of it. */
  private async commit(writes: readonly Write[], tried: Tried = { isRetry: false }): Promise<void> {
    const ready: [Write, readonly AppendBatch[] | Store][] = [];
    for (const write of writes) {
      try {
        ready.push([write, await write.prepared]);
      } catch (error) {
        write.reject(error);
      }
    }
    if (ready.length === 0) return;
    const { parts, settle } = planWrites(ready);
    try {
      await this.execute(parts, tried);
      settle();
    } catch (error) {
      if (ready.length === 1 || isPassing(error))
        return ready.forEach(([write]) => write.reject(storageFailure(error)));
      // One of them is at fault, and the others are not to suffer for it.
      for (const [write] of ready) await this.commit([write], tried);
    }
  }

  private async execute(parts: readonly Part[], tried: Tried): Promise<void> {
    const deadline = performance.now() + this.options.patienceMs;
    for (let failures = 0; ; failures += 1) {
      try {
        return await this.attempt(parts, tried.isRetry);
      } catch (error) {
        const waitMs = backoffMs(failures);
        const givesUp = this.closing.signal.aborted || performance.now() + waitMs > deadline;
        if (givesUp || !isPassing(error)) throw error;
        tried.isRetry = true;
        await sleep(waitMs, undefined, { signal: this.closing.signal }).catch(() => undefined);
      }
    }
  }

  private async attempt(parts: readonly Part[], isRetry: boolean): Promise<void> {
    const client = await this.pool.connect();
    let broken: Error | undefined;
    const perform = async (tx: Statements) => {
      for (const part of parts) {
        if ('rows' in part) await appendRows(tx, this.texts, { ...part, isRetry });
        else part.done(await part.store(tx));
      }
    };
    try {
      // A single statement is a transaction by itself, at a third of the round trips: the ordinary case.
      if (parts.length === 1 && parts[0] && 'rows' in parts[0] && !isRetry)
        await perform(statementsOn(client));
      else await inTransaction(client, perform);
    } catch (error) {
      if (isPassing(error)) broken = error as Error;
      throw error;
    } finally {
      client.release(broken);
    }
  }
}

/** The writes as parts of a transaction in their order, with the appends that stand together made one; and how to tell them. */
function planWrites(ready: readonly (readonly [Write, readonly AppendBatch[] | Store])[]): {
  readonly parts: readonly Part[];
  readonly settle: () => void;
} {
  const parts: Part[] = [];
  const settlements: (() => void)[] = [];
  let together: { readonly batches: AppendBatch[]; readonly results: AppendResult[] } | undefined;
  const finishAppends = () => {
    const { batches = [], results = [] } = together ?? {};
    for (const rows of toRounds(batches)) parts.push({ rows, results });
    together = undefined;
  };
  for (const [write, content] of ready) {
    if (typeof content === 'function') {
      finishAppends();
      let value: unknown;
      parts.push({ store: content, done: (stored) => (value = stored) });
      settlements.push(() => write.resolve(value));
    } else {
      together ??= { batches: [], results: [] };
      const { batches, results } = together;
      const first = batches.length;
      batches.push(...content);
      settlements.push(() => write.resolve(results.slice(first, first + content.length)));
    }
  }
  finishAppends();
  return { parts, settle: () => settlements.forEach((settle) => settle()) };
}

import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Logger } from '@nestjs/common';
import { AppError } from '../../errors.js';
import { OPERATIONS, type OperationName } from './call-lanes.js';
import { CallQueue, type PendingCall } from './call-queue.js';
import type { Operations } from './worker/operations.js';
import type { Problem } from './worker/problem.js';
import type { Call, Opening, Reply, Request, WorkerOptions } from './worker/protocol.js';

type OperationInput<Operation extends OperationName> = Parameters<Operations[Operation]>[0];
type OperationValue<Operation extends OperationName> = ReturnType<Operations[Operation]>;

// From the sources, as in tests, Node runs the worker's TypeScript as it is.
const WORKER_FILE = new URL(
  import.meta.url.endsWith('.ts') ? './worker/sqlite.worker.ts' : './worker/sqlite.worker.js',
  import.meta.url,
);

/** Workers that may die in so many milliseconds before the storage gives up. */
const MOST_DEATHS = 5;
const DEATHS_WITHIN_MS = 60_000;

/** Waits before each attempt to open the database again, in milliseconds. */
const ATTEMPTS_AFTER_MS = [0, 100, 500, 2_000];

/**
 * The main thread's side of the database. What is called in one turn of the event loop goes to the worker as one message, as far as
 * its lanes have room, and its writes are committed as one transaction, in the order of the calls, each of them whole or not at all.
 *
 * A worker that dies is replaced. Calls that it had and that can be repeated are made again, once; the others fail, and may be
 * tried again. A storage that cannot be opened again is broken for good.
 */
export class SqliteClient {
  private readonly logger = new Logger(SqliteClient.name);
  private worker: Worker | undefined;
  private opening: Promise<void> | undefined;
  private replacing: Promise<void> | undefined;
  private closing: Promise<void> | undefined;
  /** The reason why nothing can be called now. */
  private unusable: AppError | undefined = new AppError('STORAGE_FAILED', 'The storage is not open.');
  private readonly queue = new CallQueue();
  private flushing: NodeJS.Immediate | undefined;
  private deaths: number[] = [];
  /** Time when the worker last gave a sign of life. */
  private answeredAt = performance.now();
  private readonly broken = Promise.withResolvers<AppError>();

  constructor(private readonly options: WorkerOptions) {}

  /** @throws AppError STORAGE_LOCKED, STORAGE_FAILED; may be tried again, but not after `close` */
  open(): Promise<void> {
    if (this.closing) return Promise.reject(closedError());
    this.opening ??= this.start(this.options).then(
      () => (this.unusable = undefined),
      (error: unknown) => {
        this.opening = undefined;
        throw error;
      },
    ) as Promise<void>;
    return this.opening;
  }

  /** Resolves with the reason once the storage is broken for good; else never. */
  get whenBroken(): Promise<AppError> {
    return this.broken.promise;
  }

  /**
   * Calls an operation of the worker. An input that is still being made keeps its place in the order: what is called later
   * waits for it.
   *
   * @throws AppError STORAGE_FAILED
   */
  call<Operation extends OperationName>(
    operation: Operation,
    input: OperationInput<Operation> | Promise<OperationInput<Operation>>,
  ): Promise<OperationValue<Operation>> {
    if (this.unusable) return Promise.reject(this.unusable);
    const call = this.queue.add(operation);
    if (input instanceof Promise) {
      input.then(
        (value) => this.makeReady(call, value),
        (reason: unknown) => {
          this.queue.withdraw(call);
          call.reject(reason);
          this.flushSoon();
        },
      );
    } else this.makeReady(call, input);
    return call.settled as Promise<OperationValue<Operation>>;
  }

  /** Takes no further call, waits for those that were made, and ends the worker. */
  close(): Promise<void> {
    this.closing ??= this.stop();
    return this.closing;
  }

  private async start(options: WorkerOptions): Promise<void> {
    const worker = new Worker(WORKER_FILE, { name: 'sqlite', workerData: options });
    let cause: unknown;
    worker.on('error', (error) => (cause = error));
    const exited = once(worker, 'exit').then(() => {
      throw new AppError('STORAGE_FAILED', 'The storage could not be started.', { cause });
    });
    const [opening] = (await Promise.race([once(worker, 'message'), exited])) as [Opening];
    // It is watched from here on in another way.
    exited.catch(() => undefined);
    if (!opening.opened) throw toError(opening.problem);
    if (opening.warning !== undefined) new Logger('SqliteStorage').warn(opening.warning);
    worker.on('message', (reply: Reply) => this.settle(reply));
    worker.on('exit', (code) => this.lose(worker, cause ?? new Error(`It ended with code ${code}.`)));
    worker.unref();
    this.worker = worker;
  }

  private async stop(): Promise<void> {
    await this.opening?.catch(() => undefined);
    if (this.unusable) return;
    this.unusable = closedError();
    await Promise.allSettled(this.queue.all.map(({ settled }) => settled));
    await this.replacing;
    const { worker } = this;
    if (!worker) return;
    const exited = once(worker, 'exit');
    worker.ref();
    worker.postMessage('close' satisfies Request);
    await exited;
  }

  private makeReady(call: PendingCall, value: unknown): void {
    this.queue.makeReady(call, value);
    this.flushSoon();
  }

  private flushSoon(): void {
    this.flushing ??= setImmediate(() => {
      this.flushing = undefined;
      this.flush();
    });
  }

  /** Sends what the worker may have now. */
  private flush(): void {
    const { worker } = this;
    if (!worker) return;
    const taken = this.queue.take();
    if (taken.length === 0) return;
    const calls: Call[] = [];
    const reads: Call[] = [];
    for (const call of taken) (yields(call) ? reads : calls).push(toCall(call));
    // An open storage keeps no process alive, an unfinished call does.
    worker.ref();
    worker.postMessage({ calls, reads } satisfies Request);
  }

  private settle(reply: Reply): void {
    this.answeredAt = performance.now();
    for (const answer of reply) {
      const call = this.queue.acknowledge(answer.id);
      if ('problem' in answer) call?.reject(toError(answer.problem));
      else call?.resolve(answer.value);
    }
    // Together with what the answers lead to: another message is another transaction, and wakes the worker once more.
    if (this.queue.hasWaiting) this.flushSoon();
    if (!this.queue.isAtWork) this.worker?.unref();
  }

  /** The worker has ended without being asked to. */
  private lose(worker: Worker, cause: unknown): void {
    if (this.worker !== worker) return;
    this.worker = undefined;
    const isClosed = this.closing !== undefined && this.queue.all.length === 0;
    const failure = new AppError(
      'STORAGE_FAILED',
      'The storage broke down and is started again. Try again.',
      {
        cause,
        retryable: true,
      },
    );
    for (const call of this.queue.recall()) call.reject(failure);
    if (!isClosed) this.replacing = this.replace(cause);
  }

  /** Opens the database again, in a new worker. Never rejects. */
  private async replace(cause: unknown): Promise<void> {
    const now = performance.now();
    this.deaths = [...this.deaths.filter((at) => at > now - DEATHS_WITHIN_MS), now];
    // What was only in memory is gone with the worker.
    if (this.options.directory === ':memory:' || this.deaths.length > MOST_DEATHS) return this.giveUp(cause);
    this.logger.error({ err: cause }, 'The storage broke down; it is started again.');
    let reason = cause;
    for (const ms of ATTEMPTS_AFTER_MS) {
      if (ms > 0) await pause(ms);
      try {
        await this.start({ ...this.options, resumes: { downMs: performance.now() - this.answeredAt } });
        this.logger.log('The storage is there again.');
        return this.flush();
      } catch (error) {
        reason = error;
      }
    }
    this.giveUp(reason);
  }

  private giveUp(cause: unknown): void {
    const reason = new AppError(
      'STORAGE_FAILED',
      'The storage broke down and cannot be started again. Restart the process.',
      { cause },
    );
    this.unusable = reason;
    for (const call of this.queue.drop()) call.reject(reason);
    this.broken.resolve(reason);
  }
}

function yields({ lane }: PendingCall): boolean {
  return lane.limits.yields;
}

/** One that a worker has died with says so, where the operation has to know. */
function toCall({ id, operation, input, isRetry }: PendingCall): Call {
  const value = input?.value;
  const isRepeat = isRetry && OPERATIONS[operation].repeats === 'told';
  return { id, operation, input: isRepeat ? { ...(value as object), isRetry } : value };
}

function closedError(): AppError {
  return new AppError('STORAGE_FAILED', 'The storage is closed.');
}

function toError({ code, message, passing, cause }: Problem): AppError {
  return new AppError(code, message, { cause: new Error(cause), retryable: passing });
}

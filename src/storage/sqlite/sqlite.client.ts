import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { AppError } from '../../errors.js';
import type { Operations } from './worker/operations.js';
import type { Problem } from './worker/problem.js';
import type { Call, Opening, Reply, Request, WorkerOptions } from './worker/protocol.js';

type Name = keyof Operations;
type InputOf<Operation extends Name> = Parameters<Operations[Operation]>[0];
type ValueOf<Operation extends Name> = ReturnType<Operations[Operation]>;

/** A call from when it was made until it is settled. */
interface PendingCall {
  readonly operation: Name;
  /** Absent while it is being made. */
  input?: { readonly value: unknown };
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
  readonly settled: Promise<unknown>;
}

// From the sources, as in tests, Node runs the worker's TypeScript as it is.
const WORKER_FILE = new URL(
  import.meta.url.endsWith('.ts') ? './worker/sqlite.worker.ts' : './worker/sqlite.worker.js',
  import.meta.url,
);

/**
 * The main thread's side of the database. What is called in one turn of the event loop goes to the worker as one message and
 * is committed as one transaction, in the order of the calls, each of them whole or not at all.
 */
export class SqliteClient {
  private worker: Worker | undefined;
  private opening: Promise<void> | undefined;
  private closing: Promise<void> | undefined;
  /** Why nothing can be called any more, or not yet. */
  private unusable: AppError | undefined = new AppError('STORAGE_FAILED', 'The storage is not open.');
  private readonly waiting: PendingCall[] = [];
  private readonly sent: PendingCall[] = [];
  private flushing: NodeJS.Immediate | undefined;

  constructor(private readonly options: WorkerOptions) {}

  /** @throws AppError STORAGE_LOCKED, STORAGE_FAILED; may be tried again, but not after `close` */
  open(): Promise<void> {
    if (this.closing) return Promise.reject(closedError());
    this.opening ??= this.start();
    return this.opening;
  }

  /**
   * Calls an operation of the worker. An input that is still being made keeps its place in the order: what is called later
   * waits for it.
   *
   * @throws AppError STORAGE_FAILED
   */
  call<Operation extends Name>(
    operation: Operation,
    input: InputOf<Operation> | Promise<InputOf<Operation>>,
  ): Promise<ValueOf<Operation>> {
    if (this.unusable) return Promise.reject(this.unusable);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const call: PendingCall = { operation, resolve, reject, settled: promise };
    this.waiting.push(call);
    if (input instanceof Promise) {
      input.then(
        (value) => this.makeReady(call, value),
        (reason: unknown) => this.withdraw(call, reason),
      );
    } else this.makeReady(call, input);
    return promise as Promise<ValueOf<Operation>>;
  }

  /** Takes no further call, waits for those that were made, and ends the worker. */
  close(): Promise<void> {
    this.closing ??= this.stop();
    return this.closing;
  }

  private async start(): Promise<void> {
    const worker = new Worker(WORKER_FILE, { name: 'sqlite', workerData: this.options });
    const [opening] = (await once(worker, 'message').catch((cause: unknown) => {
      this.opening = undefined;
      throw new AppError('STORAGE_FAILED', 'The storage could not be started.', { cause });
    })) as [Opening];
    if (!opening.opened) {
      this.opening = undefined;
      throw errorOf(opening.problem);
    }
    worker.on('message', (reply: Reply) => this.settle(reply));
    worker.on('error', (cause) => this.fail('The storage broke down. Restart the process.', cause));
    worker.on('exit', () => this.fail('The storage has ended. Restart the process.'));
    worker.unref();
    this.worker = worker;
    this.unusable = undefined;
  }

  private async stop(): Promise<void> {
    await this.opening?.catch(() => undefined);
    const { worker } = this;
    if (!worker || this.unusable) return;
    this.unusable = closedError();
    await Promise.allSettled([...this.sent, ...this.waiting].map(({ settled }) => settled));
    const exited = once(worker, 'exit');
    worker.ref();
    worker.postMessage('close' satisfies Request);
    await exited;
  }

  private makeReady(call: PendingCall, value: unknown): void {
    call.input = { value };
    this.flushing ??= setImmediate(() => this.flush());
  }

  private withdraw(call: PendingCall, reason: unknown): void {
    const index = this.waiting.indexOf(call);
    if (index !== -1) this.waiting.splice(index, 1);
    call.reject(reason);
    this.flushing ??= setImmediate(() => this.flush());
  }

  /** Sends what is ready, up to the first that is not. */
  private flush(): void {
    this.flushing = undefined;
    const calls: Call[] = [];
    for (const { operation, input } of this.waiting) {
      if (!input) break;
      calls.push({ operation, input: input.value });
    }
    if (calls.length === 0) return;
    this.sent.push(...this.waiting.splice(0, calls.length));
    // An open storage keeps no process alive, an unfinished call does.
    this.worker?.ref();
    this.worker?.postMessage(calls satisfies Request);
  }

  private settle(reply: Reply): void {
    const calls = this.sent.splice(0, reply.length);
    for (const [index, outcome] of reply.entries()) {
      if ('problem' in outcome) calls[index]?.reject(errorOf(outcome.problem));
      else calls[index]?.resolve(outcome.value);
    }
    if (this.sent.length === 0) this.worker?.unref();
  }

  private fail(message: string, cause?: unknown): void {
    this.unusable ??= new AppError('STORAGE_FAILED', message, { cause });
    for (const call of [...this.sent.splice(0), ...this.waiting.splice(0)]) call.reject(this.unusable);
  }
}

function closedError(): AppError {
  return new AppError('STORAGE_FAILED', 'The storage is closed.');
}

function errorOf({ code, message, passing, cause }: Problem): AppError {
  return new AppError(code, message, { cause: new Error(cause), retryable: passing });
}

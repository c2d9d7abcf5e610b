import { availableParallelism } from 'node:os';
import type { Principal } from '../../principal.js';
import { FairSlots, type Release } from './fair-slots.js';
import type { PoolWorker } from './pool-worker.js';
import type { WorkerReply } from './worker-protocol.js';

/** The principal of a task, and the signal that cancels it. A tool's context is one. */
export interface PoolCaller {
  readonly principal: Pick<Principal, 'tenant' | 'userId'>;
  readonly signal: AbortSignal;
}

export interface WorkerPoolOptions {
  readonly start: () => PoolWorker;
  /** Workers alive at once. */
  readonly size: number;
  /** Tasks of one principal at once. Default: all workers but one, so that another finds a place; at least 1. */
  readonly perPrincipal?: number;
  /** Milliseconds until a worker without a task is ended. Default 10,000. */
  readonly idleMs?: number;
}

/** The task itself has failed, in the words of its own code. */
export class TaskFaultError extends Error {
  override readonly name = 'TaskFaultError';
}

/** The task took longer than its limit, and its worker was ended. */
export class TaskTimeoutError extends Error {
  override readonly name = 'TaskTimeoutError';
}

/** The worker ended in the middle of the task; as a rule it ran out of memory. */
export class WorkerGoneError extends Error {
  override readonly name = 'WorkerGoneError';
}

/** Milliseconds that a worker may take to start and to load what it needs. */
const START_MS = 30_000;

/** All processors but one, which is the event loop's; at least 1. */
export const SPARE_PROCESSORS = Math.max(1, availableParallelism() - 1);

/** Returns the same key for the same principal, and another for every other. */
export function fairnessKey({ tenant, userId }: PoolCaller['principal']): string {
  return JSON.stringify([tenant, userId]);
}

/**
 * Does work that other people shape (an expression, a query, a page) in threads or processes, so that it never holds up the event
 * loop. There are never more than `size` of them, also counting those that are being ended. Principals take turns. A task that takes
 * too long, or is called off, is ended with its worker. Workers start when they are needed and end when they have nothing to do.
 */
export class WorkerPool<Task, Value> {
  readonly #slots: FairSlots;
  readonly #idle = new Map<PoolWorker, NodeJS.Timeout>();

  constructor(private readonly options: WorkerPoolOptions) {
    const { size, perPrincipal = Math.max(1, size - 1) } = options;
    this.#slots = new FairSlots({ size, perKey: perPrincipal });
  }

  /**
   * Returns what the worker makes of the task.
   *
   * @param timeoutMs from when a worker begins with it
   * @throws Error, written for the model: what is wrong with the task; TaskTimeoutError; WorkerGoneError; AppError `TOOL_FAILED`
   *   when too many tasks wait; the signal's reason
   */
  async run(task: Task, timeoutMs: number, { principal, signal }: PoolCaller): Promise<Value> {
    const release = await this.#slots.enter(fairnessKey(principal), signal);
    const worker = this.#workerFor(signal, release);
    worker.hold(true);
    let reply: WorkerReply;
    try {
      reply = await ask(worker, task, timeoutMs, signal);
    } catch (error) {
      this.#end(worker, release);
      throw error;
    }
    if (reply.spent) this.#end(worker, release);
    else {
      this.#keep(worker);
      release();
    }
    if ('fault' in reply) throw new TaskFaultError(reply.fault);
    return reply.value as Value;
  }

  #workerFor(signal: AbortSignal, release: Release): PoolWorker {
    try {
      // It may have been called off in the very moment in which it was its turn.
      signal.throwIfAborted();
      return this.#idleWorker() ?? this.options.start();
    } catch (error) {
      release();
      throw error;
    }
  }

  #idleWorker(): PoolWorker | undefined {
    for (const [worker, timer] of this.#idle) {
      clearTimeout(timer);
      this.#idle.delete(worker);
      return worker;
    }
    return undefined;
  }

  #keep(worker: PoolWorker): void {
    worker.hold(false);
    worker.onGone = () => this.#forget(worker);
    const timer = setTimeout(() => this.#dismiss(worker), this.options.idleMs ?? 10_000);
    this.#idle.set(worker, timer.unref());
  }

  /** While it ends it counts like one at work. There is a slot for it: where one is idle, not all are taken. */
  #dismiss(worker: PoolWorker): void {
    this.#forget(worker);
    this.#end(worker, this.#slots.tryEnter('') ?? (() => undefined));
  }

  #forget(worker: PoolWorker): void {
    clearTimeout(this.#idle.get(worker));
    this.#idle.delete(worker);
  }

  /** The slot is free when the worker has gone, and not before. */
  #end(worker: PoolWorker, release: Release): void {
    worker.hold(false);
    void worker.end().finally(release);
  }
}

/** Rejects when it takes too long, is called off, or the worker goes. */
async function ask(
  worker: PoolWorker,
  task: unknown,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<WorkerReply> {
  const { promise, resolve, reject } = Promise.withResolvers<WorkerReply>();
  const expireIn = (ms: number) =>
    setTimeout(() => reject(new TaskTimeoutError(`No reply in ${ms} ms.`)), ms);
  let timer = expireIn(START_MS);
  const abort = (): void => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  worker.onGone = () => reject(new WorkerGoneError('The worker ended.'));
  worker.onMessage = (message) => {
    if (message !== 'begun') return resolve(message);
    clearTimeout(timer);
    timer = expireIn(timeoutMs);
  };
  try {
    worker.send(task);
    return await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
    worker.onGone = undefined;
    worker.onMessage = undefined;
  }
}

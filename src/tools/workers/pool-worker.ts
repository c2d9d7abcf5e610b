import { fork, type ForkOptions } from 'node:child_process';
import { once } from 'node:events';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import type { WorkerMessage } from './worker-protocol.js';

/** A thread or a process that does one task at a time, and can be ended in the middle of it. */
export interface PoolWorker {
  /** Receives each message. */
  onMessage: ((message: WorkerMessage) => void) | undefined;
  /** Called once when it has gone, for whatever reason, after its last message. */
  onGone: (() => void) | undefined;
  readonly send: (task: unknown) => void;
  /** Keeps this process alive or lets it end. A worker without a task must not. */
  readonly hold: (isHeld: boolean) => void;
  /** Resolves once it has gone. */
  end: () => Promise<void>;
}

// None of our flags is theirs, and none of our secrets: both start without an environment.
const EXEC_ARGV = ['--disable-warning=ExperimentalWarning'];

export function startThread(
  program: URL,
  options: Pick<WorkerOptions, 'name' | 'resourceLimits'>,
): PoolWorker {
  const thread = new Worker(program, { ...options, env: {}, execArgv: EXEC_ARGV });
  const worker: PoolWorker = {
    onMessage: undefined,
    onGone: undefined,
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
    send: (task) => thread.postMessage(task),
    hold: (isHeld) => (isHeld ? thread.ref() : thread.unref()),
    end: async () => void (await thread.terminate()),
  };
  thread.on('message', (message: WorkerMessage) => worker.onMessage?.(message));
  // It has run out of memory, say. What follows is its exit.
  thread.on('error', () => undefined);
  thread.on('exit', () => worker.onGone?.());
  return worker;
}

export function startProcess(program: string, options: Pick<ForkOptions, 'execArgv'> = {}): PoolWorker {
  const child = fork(program, {
    env: {},
    execArgv: [...EXEC_ARGV, ...(options.execArgv ?? [])],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const exited = once(child, 'exit').catch(() => undefined);
  const worker: PoolWorker = {
    onMessage: undefined,
    onGone: undefined,
    send: (task) => void child.send(task as object, () => undefined),
    hold: (isHeld) => {
      if (isHeld) child.ref();
      else child.unref();
      if (isHeld) child.channel?.ref();
      else child.channel?.unref();
    },
    end: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
  child.on('message', (message: WorkerMessage) => worker.onMessage?.(message));
  child.on('error', () => worker.onGone?.());
  // Not 'exit', which may overtake what the process has said.
  child.on('disconnect', () => worker.onGone?.());
  return worker;
}

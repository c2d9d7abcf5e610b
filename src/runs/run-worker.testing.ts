import { filter, firstValueFrom } from 'rxjs';
import type { Agent } from '../agents/agent.js';
import type { RecordedEvent } from '../events/recorded-event.js';
import type { RunEvent } from '../events/run-event.js';
import { processWith, type ProcessOptions, type TestProcess } from './run.testing.js';

/** A clock that the test moves, so that leases expire without a wait. */
export class HandClock {
  now = 1_000_000;
  readonly read = () => this.now;
}

const processes: TestProcess[] = [];

/** Starts a process that works on runs until `drainProcesses`. */
export async function startProcess(
  agents: readonly Agent[],
  options: ProcessOptions = {},
): Promise<TestProcess> {
  const process = processWith(agents, options);
  processes.push(process);
  await process.executor.start();
  return process;
}

/** Drains every process of the test. Call it after each. */
export async function drainProcesses(): Promise<void> {
  await Promise.all(processes.splice(0).map(({ executor }) => executor.drain(0)));
}

/** Resolves with the first event of this type in the log of the run. */
export function waitForEvent(
  { feed }: TestProcess,
  runId: string,
  type: RunEvent['type'],
): Promise<RecordedEvent> {
  return firstValueFrom(feed.follow({ runId, afterSeq: 0 }).pipe(filter(({ event }) => event.type === type)));
}

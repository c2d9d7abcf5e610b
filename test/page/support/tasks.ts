import { expect } from '@jest/globals';
import type { Page } from 'playwright-core';

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly args?: { readonly name?: string };
  /** Of the thread's own time, in microseconds: what others do on this machine does not count. */
  readonly tdur?: number;
}

/** Traces what the page's main thread does. Returns what ends it, and tells the time of the longest task in milliseconds. */
export async function watchTasks(page: Page): Promise<() => Promise<number>> {
  const browser = page.context().browser()!;
  await browser.startTracing(page, {
    categories: ['toplevel', 'disabled-by-default-devtools.timeline', 'devtools.timeline'],
  });
  return async () => {
    const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as {
      readonly traceEvents: readonly TraceEvent[];
    };
    const toThread = ({ pid, tid }: TraceEvent) => `${pid} ${tid}`;
    const main = new Set(
      traceEvents
        .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
        .map(toThread),
    );
    const tasks = traceEvents.filter((event) => event.name.endsWith('RunTask') && main.has(toThread(event)));
    const times = tasks.flatMap(({ tdur }) => (tdur === undefined ? [] : [tdur / 1_000]));
    // Otherwise nothing was measured.
    expect(times.length).toBeGreaterThan(100);
    return Math.max(...times);
  };
}

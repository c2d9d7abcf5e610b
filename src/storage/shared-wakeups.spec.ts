import { describe, expect, it } from '@jest/globals';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { toPayloads, SharedWakeups, type HintCarrier } from './shared-wakeups.js';

/** Carries hints to its processes, one message at a time, and keeps what it carried. */
class TestCarrier implements HintCarrier {
  readonly sent: (readonly string[])[] = [];
  readonly processes: SharedWakeups[] = [];
  private gate = Promise.resolve();

  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.gate = promise;
    return resolve;
  }

  async open(): Promise<void> {}

  async close(): Promise<void> {}

  async send(payloads: readonly string[]): Promise<void> {
    this.sent.push(payloads);
    await this.gate;
    for (const payload of payloads) for (const process of this.processes) process.received(payload);
  }
}

function twoProcesses(): { carrier: TestCarrier; here: SharedWakeups; there: SharedWakeups } {
  const carrier = new TestCarrier();
  const [here, there] = [new SharedWakeups(carrier), new SharedWakeups(carrier)];
  carrier.processes.push(here, there);
  return { carrier, here, there };
}

describe('SharedWakeups', () => {
  it('wakes listeners in this process once, and those in other processes', async () => {
    const { here, there } = twoProcesses();
    let woken = 0;
    here.listen('pending', () => (woken += 1));
    const elsewhere = new Promise<void>((resolve) => there.listen('pending', resolve));
    here.notify('pending');
    await elsewhere;
    await nextTurn();
    expect(woken).toBe(1);
  });

  it('sends the hints of a turn in one message, and those that come meanwhile in the next', async () => {
    const { carrier, here } = twoProcesses();
    const release = carrier.hold();
    for (const topic of ['log:r1', 'log:r2', 'log:r1'] as const) here.notify(topic);
    await nextTurn();
    for (const topic of ['log:r3', 'log:r1', 'pending'] as const) here.notify(topic);
    await nextTurn();
    release();
    await nextTurn();
    const topics = carrier.sent.map(([payload = '[]']) => (JSON.parse(payload) as string[]).slice(1));
    expect(topics).toEqual([
      ['log:r1', 'log:r2'],
      ['log:r3', 'log:r1', 'pending'],
    ]);
  });

  it('wakes all listeners after missed hints, except those that have stopped', async () => {
    const { here } = twoProcesses();
    const woken: string[] = [];
    const stop = here.listen('log:r1', () => woken.push('stopped'));
    here.listen('log:r1', () => woken.push('first'));
    here.listen('control:r2', () => woken.push('second'));
    stop();
    stop();
    here.missed();
    await nextTurn();
    expect(woken.sort()).toEqual(['first', 'second']);
  });

  it('ignores payloads that it cannot read', async () => {
    const { here } = twoProcesses();
    let woken = 0;
    here.listen('pending', () => (woken += 1));
    for (const payload of ['', 'pending', '{"a":1}', '[]', '[1,2]', '["x"]']) here.received(payload);
    await nextTurn();
    expect(woken).toBe(0);
  });

  it('splits hints into messages that fit into a PostgreSQL notification', () => {
    const topics = Array.from({ length: 2_000 }, (_, index) => `log:${'é"'.repeat(index % 9)}${index}`);
    const payloads = toPayloads('sender', topics);
    expect(payloads.every((payload) => Buffer.byteLength(payload) < 8_000)).toBe(true);
    expect(payloads.flatMap((payload) => (JSON.parse(payload) as string[]).slice(1))).toEqual(topics);
  });
});

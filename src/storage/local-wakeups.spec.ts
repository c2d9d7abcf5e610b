import { describe, expect, it } from '@jest/globals';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { LocalWakeups } from './local-wakeups.js';

describe('LocalWakeups', () => {
  it('joins the hints of one turn to one, and delivers those of the next turn separately', async () => {
    const wakeups = new LocalWakeups();
    let woken = 0;
    wakeups.listen('pending', () => (woken += 1));
    wakeups.notify('pending');
    wakeups.notify('pending');
    await nextTurn();
    expect(woken).toBe(1);
    wakeups.notify('pending');
    await nextTurn();
    expect(woken).toBe(2);
  });

  it('delivers in the next turn the hints that a listener gives', async () => {
    const wakeups = new LocalWakeups();
    const woken: string[] = [];
    wakeups.listen('log:r1', () => {
      woken.push('r1');
      wakeups.notify('log:r2');
    });
    wakeups.listen('log:r2', () => woken.push('r2'));
    wakeups.notify('log:r1');
    await nextTurn();
    expect(woken).toEqual(['r1']);
    await nextTurn();
    expect(woken).toEqual(['r1', 'r2']);
  });

  it('stops one listener at a time, even if one function listens twice', async () => {
    const wakeups = new LocalWakeups();
    let woken = 0;
    const wake = () => (woken += 1);
    const stop = wakeups.listen('pending', wake);
    wakeups.listen('pending', wake);
    stop();
    stop();
    wakeups.notify('pending');
    await nextTurn();
    expect(woken).toBe(1);
  });
});

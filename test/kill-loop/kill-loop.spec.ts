import { describe, expect, it } from '@jest/globals';
import { killLoop } from '../harness/kill-loop/kill-loop.js';
import type { GuestAgent } from '../harness/kill-loop/person.js';
import { listComplaints, formatTable } from '../harness/kill-loop/kill-report.js';

/** `LONG=1` kills four times as often. */
const KILLS = process.env['LONG'] ? 50 : 12;

describe('server under repeated SIGKILL', () => {
  it('loses no event that a reader was shown, and shows every reader the same log', async () => {
    const report = await killLoop({ kills: KILLS, seed: Date.now() % 1_000_000 });

    process.stdout.write(`\n${formatTable(report)}\n`);
    expect({ seed: report.seed, complaints: listComplaints(report) }).toEqual({
      seed: report.seed,
      complaints: [],
    });
    expect(report.kills).toBe(KILLS);
    // That it did what it says: runs did change hands, and did so with unfinished output.
    expect(report.logs.length).toBeGreaterThan(20);
    expect(report.logs.flat().filter(({ event }) => event.type === 'step-reset').length).toBeGreaterThan(20);
    // And people were asked, and answered.
    expect(report.logs.flat().filter(({ event }) => event.type === 'input-answer').length).toBeGreaterThan(5);
  }, 300_000);

  it('gives up a run that ends its process, waits for one that blocks it, and loses nothing of any other', async () => {
    const report = await killLoop({
      kills: 4,
      seed: Date.now() % 1_000_000,
      people: 5,
      guests: true,
      patienceMs: 150_000,
    });

    process.stdout.write(`\n${formatTable(report)}\n`);
    const { seed, watched, blockers, logs } = report;
    expect({ seed, complaints: listComplaints(report) }).toEqual({ seed, complaints: [] });
    const findRun = (guest: GuestAgent) => watched.find(({ agent }) => agent === guest)?.runId ?? '';
    const findEnd = (runId: string) => logs.find(([first]) => first?.runId === runId)?.at(-1)?.event;
    expect(findEnd(findRun('poison'))).toMatchObject({ outcome: 'failed', error: { code: 'RUN_POISONED' } });
    expect(findEnd(findRun('block'))).toMatchObject({ outcome: 'completed' });
    // Its process may die in the moment in which the block is over, before it can tell of it. Whom it told of was at work then.
    const known = logs.map(([first]) => first?.runId);
    expect([...(blockers ?? [])].filter((runId) => !known.includes(runId))).toEqual([]);
    expect(report.ownDeaths).toBeGreaterThan(1);
  }, 300_000);
});

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { killLoop } from '../../src/testing/kill-loop/kill-loop.js';
import { complaintsOf, tableOf } from '../../src/testing/kill-loop/kill.report.js';

// The server runs as it ships; `npm test` builds first.
const program = fileURLToPath(new URL('../../dist/testing/kill-loop/victim.process.js', import.meta.url));

describe('a server that is killed again and again', () => {
  it('loses nothing that anybody was shown, and shows everybody the same', async () => {
    if (!existsSync(program)) throw new Error('There is no build. Run `npm run build` first, or `npm test`.');
    const report = await killLoop({ kills: 30, seed: Date.now() % 1_000_000, program });

    process.stdout.write(`\n${tableOf(report)}\n`);
    expect({ seed: report.seed, complaints: complaintsOf(report) }).toEqual({
      seed: report.seed,
      complaints: [],
    });
    expect(report.kills).toBe(30);
    // That it did what it says: runs did change hands, and did so with unfinished output.
    expect(report.logs.length).toBeGreaterThan(20);
    expect(report.logs.flat().filter(({ event }) => event.type === 'step-reset').length).toBeGreaterThan(20);
    // And people were asked, and answered.
    expect(report.logs.flat().filter(({ event }) => event.type === 'approval-answer').length).toBeGreaterThan(
      5,
    );
  }, 300_000);
});

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Footprint } from '../harness/footprint.js';
import { between, randomFrom } from '../../src/testing/random.js';
import { startProgram } from '../harness/program.js';
import { FetchReader } from '../harness/readers/fetch.reader.js';
import { postJson } from '../support/post-json.js';

/** Until everything that is kept on purpose is full, the events of the last 64 runs among it, and V8 knows the code. */
const WARM_UP = 300;

/** Runs between two looks at the server, and looks. `LONG=1`: twenty times the runs, so that a smaller leak shows. */
const RUNS = process.env['LONG'] ? 300 : 50;
const LOOKS = process.env['LONG'] ? 10 : 3;

/**
 * What V8 notes about functions lies among the objects, and comes for thousands of runs: in snapshots of the heap after 300 and after
 * 600 runs it was all that had grown.
 */
const NOTES_BYTES = process.env['LONG'] ? 2_500_000 : 350_000;

/** Limit of the growth. Beside V8's notes, a run may leave less than its ids would take. */
const GROWTH_LIMIT_BYTES = NOTES_BYTES + RUNS * LOOKS * 100;

// Apart from its clients, and as it ships: `npm test` builds first.
const program = new URL('../harness/soak/soak.process.ts', import.meta.url);

describe('server under long load', () => {
  let directory: string;
  let server: ChildProcess;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'soak-'));
    server = startProgram(program, directory, { execArgv: ['--expose-gc'] });
  });

  afterEach(async () => {
    const exited = once(server, 'exit');
    server.kill('SIGKILL');
    await exited;
    await rm(directory, { recursive: true, force: true });
  });

  it('uses no more heap and handles after hundreds of runs than before them', async () => {
    const [{ port }] = (await once(server, 'message')) as [{ port: number }];
    const url = `http://127.0.0.1:${port}/api/chat`;

    await work(url, WARM_UP);
    const looks = [await atRest(server)];
    while (looks.length <= LOOKS) {
      await work(url, RUNS);
      looks.push(await atRest(server));
    }

    const heap = looks.map(({ heapBytes }) => heapBytes);
    if (process.env['LONG']) process.stdout.write(`heap, in bytes: ${heap.join(', ')}\n`);
    // From the lowest: what V8 forgets about code would hide what is kept.
    expect((heap.at(-1) ?? Infinity) - Math.min(...heap)).toBeLessThan(GROWTH_LIMIT_BYTES);
    // A request to a thread or a timer of the moment may be among them; what each run left behind would be hundreds.
    const handles = looks.map(({ resources, listeners }) =>
      Object.values(resources).reduce((sum, count) => sum + count, listeners),
    );
    expect((handles.at(-1) ?? Infinity) - Math.min(...handles)).toBeLessThan(5);
  }, 1_200_000);
});

/** So many runs, each with a reader that stays and one that keeps coming back, ten at a time. */
async function work(url: string, count: number): Promise<void> {
  const random = randomFrom(count);
  const { signal } = new AbortController();
  let left = count;
  const person = async () => {
    while (left-- > 0) {
      const runId = await startRun(url);
      const about = { runId, url: `${url}/runs/${runId}/events`, pauseMs: () => 1 };
      const readers = [
        new FetchReader({ ...about, name: 'steady' }),
        new FetchReader({ ...about, name: 'restless', eventsPerConnection: () => between(random, 1, 6) }),
      ];
      await Promise.all(readers.map((reader) => reader.follow(signal)));
      // Else nothing has been tested: a run with a tool call has a dozen events and more.
      for (const { stream } of readers) expect(stream.events).toBeGreaterThan(12);
    }
  };
  await Promise.all(Array.from({ length: 10 }, person));
}

async function startRun(url: string): Promise<string> {
  const response = await postJson(`${url}/runs`, { message: 'What is 12 * 34?' });
  return ((await response.json()) as { runId: string }).runId;
}

/** Once the connections that clients keep for later are closed. */
async function atRest(server: ChildProcess): Promise<Footprint> {
  for (;;) {
    server.send('footprint');
    const [footprint] = (await once(server, 'message')) as [Footprint];
    if (!('TCPSocketWrap' in footprint.resources)) return footprint;
  }
}

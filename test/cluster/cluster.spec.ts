import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { clusterLoop } from '../harness/cluster/cluster-loop.js';
import { clusters, expectNoComplaints, seed } from '../harness/cluster/cluster.testing.js';
import type { KillReport } from '../harness/kill-loop/kill-report.js';
import { EventStream } from '../support/event-stream.js';
import { postJson } from '../support/post-json.js';

/** How often each worker dies, and freezes. `LONG=1`: three times as often. */
const ROUNDS = process.env['LONG'] ? 3 : 1;

/** A model so slow that its run cannot end by itself before it is cancelled. */
const SLOWLY_MS = 60_000;

async function ask(port: number | undefined): Promise<{ status: number; runId: string }> {
  const response = await postJson(`http://127.0.0.1:${port}/api/chat/runs`, { message: 'hello' });
  const { runId = '' } = (await response.json()) as { runId?: string };
  return { status: response.status, runId };
}

function watch(port: number | undefined, runId: string): Promise<EventStream> {
  return EventStream.open(`http://127.0.0.1:${port}/api/chat/runs/${runId}/events`);
}

describe('cluster', () => {
  const start = clusters();

  it('shows the same events of a run through every API process', async () => {
    const { apis } = await start();
    const { runId } = await ask(apis[0]?.port);
    const streams = await Promise.all(apis.map(({ port }) => watch(port, runId)));
    for (const stream of streams) await stream.closed();
    const [here, there] = streams.map(({ events }) => events);
    // Some of its answers use a tool that a person has to approve first.
    expect(['completed', 'awaiting-input']).toContain(here?.at(-1)?.data['outcome']);
    expect(there).toEqual(here);
  });

  it('takes over the runs of a dead worker', async () => {
    const started = await start();
    const report = await clusterLoop(started, {
      seed,
      people: 12,
      disaster: async (note) => {
        for (let kills = 0; kills < ROUNDS * 2; kills += 1) {
          await sleep(1_500);
          const worker = started.workers[kills % 2];
          if (!worker) throw new Error('There are two workers.');
          note('kill');
          await worker.kill();
          // Long enough for the other worker to have them all before this one is back.
          await sleep(6_000);
          await worker.start().listening;
        }
      },
    });
    expectNoComplaints(report);
    const times = takeoverTimes(report);
    expect(times.length).toBeGreaterThan(ROUNDS);
  }, 300_000);

  it('accepts no event from a worker that was frozen past its lease', async () => {
    const started = await start();
    const report = await clusterLoop(started, {
      seed,
      people: 12,
      disaster: async () => {
        for (const worker of Array.from({ length: ROUNDS }, () => started.workers).flat()) {
          await sleep(1_500);
          worker.freeze();
          // Its lease runs out, and the other one has its runs for a while.
          await sleep(7_000);
          worker.thaw();
        }
        await sleep(1_500);
      },
    });
    expectNoComplaints(report);
    expect(report.logs.flat().filter(({ event }) => event.type === 'run-resume').length).toBeGreaterThan(1);
  }, 300_000);

  it('cancels a run that a worker behind another API process executes', async () => {
    const { apis } = await start({ node: { paceMs: SLOWLY_MS } });
    await cancelled(apis[0]?.port, apis[1]?.port);
  });

  it('cancels a run and shows its end even if every wakeup is lost', async () => {
    const { apis } = await start({ node: { deaf: true, paceMs: SLOWLY_MS } });
    await cancelled(apis[0]?.port, apis[1]?.port);
  });

  it('counts run starts and open streams over all API processes', async () => {
    const { apis } = await start({ workers: 0, node: { startsPerMinute: 5, maxOpenStreams: 3 } });
    const answers: { status: number; runId: string }[] = [];
    for (let index = 0; index < 8; index += 1) answers.push(await ask(apis[index % 2]?.port));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202, 429, 429, 429]);
    const runId = answers[0]?.runId ?? '';
    const streams: EventStream[] = [];
    for (let index = 0; index < 5; index += 1) streams.push(await watch(apis[index % 2]?.port, runId));
    expect(streams.map(({ status }) => status)).toEqual([200, 200, 200, 429, 429]);
    for (const stream of streams) stream.leave();
  });
});

/** Cancels a run that would take minutes, through one process, until a reader at another has seen its end. */
async function cancelled(here: number | undefined, there: number | undefined): Promise<void> {
  const { runId } = await ask(here);
  const run = `http://127.0.0.1:${here}/api/chat/runs/${runId}`;
  const stream = await watch(there, runId);
  while (((await (await fetch(run)).json()) as { status: string }).status === 'pending') await sleep(20);
  await fetch(`${run}/cancel`, { method: 'POST' });
  await stream.closed();
  expect(stream.events.at(-1)?.data).toMatchObject({ type: 'end', outcome: 'cancelled' });
}

/** From each death to the first event of a run's next owner. */
function takeoverTimes({ logs, killedAt }: KillReport): number[] {
  return logs.flat().flatMap(({ event, at }) => {
    const death = killedAt.findLast((time) => time <= at);
    return event.type === 'run-resume' && death !== undefined ? [at - death] : [];
  });
}

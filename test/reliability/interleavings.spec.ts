import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { RecordedEvent } from '../../src/events/recorded-event.js';
import type { RunEvent } from '../../src/events/run-event.js';
import { NOTHING_OPEN, trackOpen } from '../../src/runs/open-items.js';
import type { Run } from '../../src/runs/run.js';
import { MemoryStorage } from '../../src/storage/memory/memory.storage.js';
import { SqliteStorage } from '../../src/storage/sqlite/sqlite.storage.js';
import type { Storage } from '../../src/storage/storage.js';
import { checkHistory } from '../../src/testing/history/history-checker.js';
import type { ObservedFrame } from '../../src/testing/history/history.js';
import { createAnswer } from '../../src/testing/scripted.agent.js';
import { newRun, recorded, USAGE } from '../../src/testing/storage/storage-samples.js';

const LEASE_MS = 4_000;
const SCHEDULES = 1_000;

/** Virtual: only schedules move it. */
let now = 1_800_000_000_000;
const clock = () => now;

describe.each<[string, () => Storage]>([
  ['memory', () => new MemoryStorage({ clock })],
  ['sqlite', () => new SqliteStorage({ directory: ':memory:', clock })],
])('random interleavings of owners, expiries, cancels and readers on %s', (_, make) => {
  let storage: Storage;
  let runs = 0;
  let takeovers = 0;
  let refusals = 0;
  beforeAll(async () => {
    storage = make();
    await storage.open();
  });
  afterAll(() => storage.close());

  it('keeps every acknowledged event in a log without anomalies, in any order of claims and appends', async () => {
    const plan = fc.record({
      owners: fc.array(fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 3 }), {
        minLength: 2,
        maxLength: 3,
      }),
      passing: fc.array(fc.integer({ min: 1_500, max: LEASE_MS }), { minLength: 3, maxLength: 8 }),
      cancelled: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), plan, async (scheduler, { owners, passing, cancelled }) => {
        const runId = `run-${++runs}`;
        await storage.runs.create(newRun(runId));
        // One act at a time, and the next one chosen when it is done: also where an act takes a thread and a moment.
        let acting: Promise<unknown> = Promise.resolve();
        const world = new World(storage, runId, async (act) => {
          await scheduler.schedule(Promise.resolve());
          const acted = act();
          acting = acted;
          return acted;
        });
        const actors = [
          ...owners.map((words, index) => world.own(`owner-${index}`, words)),
          ...passing.map((ms) => world.turn(async () => void (now += ms))),
          ...(cancelled ? [world.turn(() => storage.runs.requestCancel(runId))] : []),
          world.read(),
        ];
        while (scheduler.count() > 0) {
          await scheduler.waitOne();
          await acting;
          await new Promise((resolve) => setImmediate(resolve));
        }
        await Promise.all(actors);
        await world.finish();

        const log = await storage.log.read(runId, 0, 10_000);
        takeovers += log.filter(({ event }) => event.type === 'run-resume').length;
        refusals += world.refusals;
        const frames = await world.framesToTheEnd();
        expect(
          checkHistory({
            runId,
            log,
            acknowledged: world.acknowledged,
            readers: [{ name: 'reader', connections: [{ frames }] }],
          }),
        ).toEqual([]);
      }),
      { numRuns: SCHEDULES, interruptAfterTimeLimit: 100_000, markInterruptAsFailure: true },
    );
    // That the schedules were the interesting ones.
    expect(takeovers).toBeGreaterThan(SCHEDULES / 10);
    expect(refusals).toBeGreaterThan(SCHEDULES / 10);
  });
});

/** Everybody who does something with one run; each of their acts waits for its turn. */
class World {
  readonly acknowledged: RecordedEvent[] = [];
  /** Appends that came too late. */
  refusals = 0;
  private readonly frames: ObservedFrame[] = [];

  constructor(
    private readonly storage: Storage,
    private readonly runId: string,
    readonly turn: <Value>(act: () => Promise<Value>) => Promise<Value>,
  ) {}

  /** Claims the run, and says so many words a time, renewing in between, until it has said all or is refused. */
  async own(ownerId: string, words: readonly number[], turn = this.turn): Promise<void> {
    const claim = () => turn(() => this.storage.runs.claim({ ownerId, leaseMs: LEASE_MS }));
    const run = (await claim()) ?? (await claim()) ?? (await claim());
    if (!run) return;
    const log = await turn(() => this.storage.log.read(run.id, 0, 10_000));
    let seq = run.lastSeq;
    const say = async (events: readonly RunEvent[]): Promise<boolean> => {
      const batch = events.map((event, index) => recorded(run, seq + index + 1, event));
      const [result] = await turn(() =>
        this.storage.log.append([
          {
            runId: run.id,
            epoch: run.epoch,
            afterSeq: seq,
            events: batch,
            ...(events.at(-1)?.type === 'end' && { ending: { outcome: 'completed', usage: USAGE } }),
          },
        ]),
      );
      if (result !== 'appended') {
        this.refusals += 1;
        return false;
      }
      seq += batch.length;
      this.acknowledged.push(...batch);
      return true;
    };

    if (!(await say(toOpening(run, log)))) return;
    const [stepStart, textStart, ...rest] = createAnswer({ messageId: 'm', attempt: run.epoch }, []);
    if (!(await say([stepStart!, textStart!]))) return;
    const { partId } = textStart as { partId: string };
    for (const count of words) {
      const delta = `${ownerId} ${count} `;
      if (!(await say(Array.from({ length: count + 1 }, () => ({ type: 'text-delta', partId, delta })))))
        return;
      await turn(() =>
        this.storage.runs.renew({ runs: [{ runId: run.id, epoch: run.epoch }], leaseMs: LEASE_MS }),
      );
    }
    await say([...rest, { type: 'end', outcome: 'completed', usage: USAGE, durationMs: 1 }]);
  }

  /** Reads on and on, a little at a time. */
  async read(): Promise<void> {
    for (let polls = 0; polls < 8; polls += 1) await this.turn(() => this.poll(2));
  }

  async framesToTheEnd(): Promise<readonly ObservedFrame[]> {
    while ((await this.poll(1_000)) > 0);
    return this.frames;
  }

  /** Lets the remaining owner end the run when no other moves. */
  async finish(): Promise<void> {
    now += LEASE_MS;
    await this.own('last', [], (act) => act());
  }

  private async poll(limit: number): Promise<number> {
    const last = this.frames.at(-1);
    const after = last?.kind === 'event' ? last.recorded.seq : 0;
    const page = await this.storage.log.read(this.runId, after, limit);
    this.frames.push(...page.map((event): ObservedFrame => ({ kind: 'event', recorded: event })));
    return page.length;
  }
}

/** Returns the first events of an owner, by what its predecessors have left. */
function toOpening(run: Run, log: readonly RecordedEvent[]): RunEvent[] {
  if (run.lastSeq === 0) return [{ type: 'run-start', agent: 'a', messageId: 'm' }];
  const open = log
    .filter(({ seq }) => seq <= run.lastSeq)
    .reduce((items, { event, at }) => trackOpen(items, event, at), NOTHING_OPEN);
  return [
    { type: 'run-resume', reason: 'takeover' },
    ...open.steps.map(({ stepId }): RunEvent => ({
      type: 'step-reset',
      stepId,
      attempt: run.epoch,
      reason: 'takeover',
    })),
  ];
}

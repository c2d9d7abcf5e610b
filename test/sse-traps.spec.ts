import { describe, expect, it } from '@jest/globals';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { ServerResponse } from 'node:http';
import type { LogPage } from '../src/runs/event-log.js';
import { PAGE_BYTES } from '../src/storage/batch.codec.js';
import { MemoryStorage } from '../src/storage/memory/memory.storage.js';
import { chatServers, gate } from './support/chat.server.js';
import { nineWords } from './support/plays.js';
import { until } from './support/until.js';

/** Shows the traps of Nest's `@Sse`, and that our routes avoid them, over a socket. */
describe("streams where Nest's @Sse has traps", () => {
  const start = chatServers();

  it('delivers every event that precedes an error of the source', async () => {
    const storage = new FailingReads();
    const server = await start({ storage, play: nineWords });
    const whole = await server.finishedRun();

    // Another process on the same log, which has to read it.
    const other = await start({ storage });
    storage.breakAfter(5);
    const broken = await other.watch(whole.runId);
    await broken.until(() => broken.events.length === 5);
    storage.wakeups.notify(`log:${whole.runId}`);
    expect(await broken.closed()).toBe('end');
    expect(broken.events).toEqual(whole.events.slice(0, 5));

    storage.mend();
    const rest = await other.watch(whole.runId, broken.lastId);
    await rest.closed();
    expect([...broken.events, ...rest.events]).toEqual(whole.events);
  });

  it('answers a failure after more than a turn with its status instead of 200 and an error frame', async () => {
    const storage = new MemoryStorage();
    const server = await start({ storage });
    const get = storage.runs.get.bind(storage.runs);
    storage.runs.get = (runId) =>
      new Promise((resolve, reject) => setTimeout(() => get(runId).then(resolve, reject), 20));
    const { status, response } = await server.watch('nosuchrun');
    expect(status).toBe(404);
    expect(response.headers['content-type']).toContain('application/problem+json');
  });

  it('gives every frame a cursor as its id, and sends no error frame', async () => {
    const storage = new FailingReads();
    const server = await start({ storage, play: nineWords });
    const { runId, frames, raw } = await server.finishedRun();
    expect(frames[0]?.id).toBe(`${runId}.0.0`);
    expect(frames.slice(1).map(({ id }) => id)).toEqual(
      frames.slice(1).map((_, index) => `${runId}.1.${index + 1}`),
    );
    expect(raw).not.toContain('event: error');

    // Nest's own error frame would have such a number too.
    const other = await start({ storage });
    storage.breakAfter(3);
    const broken = await other.watch(runId);
    await broken.until(() => broken.events.length === 3);
    storage.wakeups.notify(`log:${runId}`);
    await broken.closed();
    expect(broken.raw).not.toContain('event: error');
    expect(broken.lastId).toBe(`${runId}.1.3`);
  });

  it('answers a streaming POST with 200', async () => {
    const server = await start();
    const stream = await server.ask();
    expect(stream.status).toBe(200);
    expect(stream.response.headers['content-type']).toBe('text/event-stream');
    await stream.closed();
  });

  it('writes many events with few writes', async () => {
    const writes: string[] = [];
    const released = gate();
    const server = await start({
      prepare: (app) => spyOnWrites(app, writes),
      play: async (_, context) => {
        await released.opened;
        for (let index = 0; index < 200; index++) {
          void context.emit({ type: 'custom', name: 'n', data: index });
        }
      },
    });
    const stream = await server.ask();
    await stream.frame('run-start');
    writes.length = 0;
    released.open();
    await stream.closed();
    expect(stream.events).toHaveLength(202);
    // One for the 200, one for the `end` when that commits in a turn of its own.
    expect(writes.filter((text) => text.includes('event:')).length).toBeLessThanOrEqual(3);
  });

  it('pauses the source while a reader does not read, and continues without a gap', async () => {
    const storage = new MemoryStorage();
    const first = await start({
      storage,
      play: async (_, { emit }) => {
        for (let index = 0; index < 5_000; index++)
          await emit({ type: 'custom', name: 'n', data: 'x'.repeat(2_000) });
      },
    });
    const { runId } = await first.startRun();
    const whole = await first.watch(runId);
    await whole.closed();
    expect(whole.events).toHaveLength(5_002);

    let slowResponse: ServerResponse | undefined;
    const server = await start({
      storage,
      prepare: (app) =>
        app.use((_request: unknown, answer: ServerResponse, next: () => void) => {
          slowResponse ??= answer;
          next();
        }),
    });
    let pagesRead = 0;
    const read = storage.log.readPage.bind(storage.log);
    storage.log.readPage = (...page) => {
      pagesRead++;
      return read(...page);
    };
    const slow = await server.watch(runId, undefined, { paused: true });
    // Each page is read once the one before went out; the last of these waits for the reader.
    const restsWhileAsked = async () => {
      const before = pagesRead;
      await server.call('GET', '/agents');
      return pagesRead === before;
    };
    await until(async () => slowResponse?.writableNeedDrain === true && (await restsWhileAsked()));
    const pagesAtRest = pagesRead;
    expect(slowResponse!.writableLength).toBeLessThanOrEqual(1024 * 1024);
    expect(pagesAtRest).toBeLessThan((5_000 * 2_000) / PAGE_BYTES);
    await server.call('GET', '/agents');
    expect(pagesRead).toBe(pagesAtRest);

    slow.resume();
    expect(await slow.closed()).toBe('end');
    expect(slow.events).toEqual(whole.events);
  });
});

/** Every write of a response, in order. */
function spyOnWrites(app: NestExpressApplication, writes: string[]): void {
  app.use((_request: unknown, response: ServerResponse, next: () => void) => {
    const write = response.write.bind(response) as (...parameters: unknown[]) => boolean;
    response.write = (...parameters: unknown[]) => {
      writes.push(String(parameters[0]));
      return write(...parameters);
    };
    next();
  });
}

/** A log that, once it is broken, can be read a single time, and so far only. */
class FailingReads extends MemoryStorage {
  private breaksAfter = Infinity;
  private readsLeft = Infinity;

  constructor() {
    super();
    const read = this.log.readPage.bind(this.log);
    this.log.readPage = async (runId: string, afterSeq: number, limit: number): Promise<LogPage> => {
      if (this.readsLeft-- <= 0) throw new Error('disk on fire');
      return read(runId, afterSeq, Math.min(limit, this.breaksAfter - afterSeq));
    };
  }

  breakAfter(seq: number): void {
    this.breaksAfter = seq;
    this.readsLeft = 1;
  }

  mend(): void {
    this.breaksAfter = Infinity;
    this.readsLeft = Infinity;
  }
}

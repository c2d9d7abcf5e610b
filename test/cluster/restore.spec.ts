import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { EventSource } from 'eventsource';
import { ChatService } from '../../src/client/index.js';
import { formatCursor } from '../../src/events/cursor.js';
import { foldRun, type RunView } from '../../src/events/run-view.js';
import { PostgresStorage } from '../../src/storage/postgres/postgres.storage.js';
import { SqliteStorage } from '../../src/storage/sqlite/sqlite.storage.js';
import type { Storage } from '../../src/storage/storage.js';
import { PostgresServer } from '../harness/cluster/postgres.server.js';
import { copySqlite } from '../harness/cluster/sqlite-copy.testing.js';
import { FaultProxy } from '../../src/testing/fault.proxy.js';
import { createAnswer } from '../../src/testing/scripted.agent.js';
import { ChatServer, gate, type ChatServerOptions, type Play } from '../support/chat.server.js';
import { EventStream } from '../support/event-stream.js';
import { sayOneByOne } from '../support/plays.js';
import { postJson } from '../support/post-json.js';

/** A server over data of which an older copy can be put back. People come in by `origin` all the time. */
interface World {
  readonly origin: string;
  readonly storage: () => Storage;
  readonly backup: () => Promise<() => Promise<void>>;
  readonly close: () => Promise<void>;
}

/** The process lives through it: only the database is gone for a moment, and is an older one when it comes back. */
async function onPostgres(play: Play, options: ChatServerOptions = {}): Promise<World> {
  const database = await PostgresServer.start();
  const storage = new PostgresStorage({ url: database.url });
  const server = await ChatServer.start({ ...options, play, storage });
  return {
    origin: server.url,
    storage: () => storage,
    backup: () => database.backup(),
    close: async () => {
      await server.close();
      await database.stop();
    },
  };
}

/** The process lives through it, and follows a name that leads to the new primary: a standby that lacks the last commits. */
async function onFailover(play: Play, options: ChatServerOptions = {}): Promise<World> {
  let primary = await PostgresServer.start();
  const name = await FaultProxy.listen({ target: () => primary.port });
  const { port } = new URL(name.origin);
  const storage = new PostgresStorage({ url: primary.url.replace(String(primary.port), port) });
  const server = await ChatServer.start({ ...options, play, storage });
  const lost: PostgresServer[] = [];
  return {
    origin: server.url,
    storage: () => storage,
    backup: async () => {
      const promote = await primary.standby();
      return async () => {
        lost.push(primary);
        primary = await promote();
      };
    },
    close: async () => {
      await server.close();
      await name.close();
      for (const each of [primary, ...lost]) await each.stop();
    },
  };
}

/** The only process stops, the file is put back, and the next process starts. */
async function onSqlite(play: Play, options: ChatServerOptions = {}): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'restore-'));
  const start = () => ChatServer.start({ ...options, play, storage: new SqliteStorage({ directory }) });
  let server: ChatServer | undefined = await start();
  const proxy = await FaultProxy.listen({ target: () => server?.port });
  return {
    origin: `${proxy.origin}/api/chat`,
    storage: () => server!.storage,
    backup: async () => {
      const putBack = await copySqlite(directory);
      return async () => {
        const stopped = server;
        server = undefined;
        stopped?.http.closeAllConnections();
        await stopped?.close();
        await putBack();
        server = await start();
      };
    },
    close: async () => {
      proxy.drop('reset');
      await server?.close();
      await proxy.close();
      await rm(directory, { recursive: true });
    },
  };
}

/** A client as in a browser: it keeps its view through whatever happens to its connection. */
class Viewer {
  view: RunView | undefined;
  readonly ended = Promise.withResolvers<RunView>();
  private readonly waiting = new Set<() => void>();

  constructor(origin: string, runId: string) {
    const chat = new ChatService({ baseUrl: origin, EventSource, backoff: { baseMs: 50, maxMs: 500 } });
    chat.follow(runId).subscribe({
      next: ({ view }) => {
        this.view = view;
        for (const check of this.waiting) check();
      },
      error: (error) => this.ended.reject(error),
      complete: () => this.ended.resolve(this.view!),
    });
  }

  sees(text: string): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (!JSON.stringify(this.view ?? '').includes(text)) return;
        this.waiting.delete(check);
        resolve();
      };
      this.waiting.add(check);
      check();
    });
  }
}

describe.each([
  ['PostgreSQL', onPostgres],
  ['PostgreSQL that fails over to a standby', onFailover],
  ['SQLite', onSqlite],
])('run on %s after an older copy of the data is restored', (_name, make) => {
  let world: World;
  afterEach(() => world?.close());

  it('continues a run from the restored log, and resets a reader who had seen the lost events', async () => {
    const [backedUp, restored] = [gate(), gate()];
    let tries = 0;
    world = await make(async ({ message }, context) => {
      if (message === 'first') tries += 1;
      const events = createAnswer(context, ['kept ', `try-${tries} `, 'and ', 'gone.']);
      await sayOneByOne(context, events.slice(0, 3));
      await orAborted(backedUp.opened, context.signal);
      // Before the copy is put back, words of the lost time; then as many others, so that every seq is there again.
      await sayOneByOne(context, events.slice(3, 6));
      await orAborted(restored.opened, context.signal);
      await sayOneByOne(context, events.slice(6));
    });
    const runId = await startRun(world, 'first');
    const viewer = new Viewer(world.origin, runId);
    await viewer.sees('kept');
    const putBack = await world.backup();
    backedUp.open();
    await viewer.sees('gone.');
    const [lost, lostWord] = [viewer.view!, `try-${tries}`];
    const late = await startRun(world, 'late');
    const forsaken = new Viewer(world.origin, late);
    await forsaken.sees('gone.');

    await putBack();
    expect(await readStatus(world, late)).toBe(404);
    await expect(forsaken.ended.promise).rejects.toMatchObject({ code: 'NOT_FOUND' });
    restored.open();
    const last = await viewer.ended.promise;

    const log = await world.storage().log.read(runId, 0, 10_000);
    expect(log.map(({ seq }) => seq)).toEqual(log.map((_event, index) => index + 1));
    expect(last).toEqual(foldRun(runId, log));
    expect(last.status).toBe('completed');
    expect(JSON.stringify(log)).not.toContain(lostWord);
    // Its seq is there again, and it is another event.
    expect(log.length).toBeGreaterThan(lost.seq);
    const reader = await EventStream.open(`${world.origin}/runs/${runId}/events`, {
      headers: { 'last-event-id': formatCursor(lost) },
    });
    await reader.closed();
    expect(reader.frames[1]).toMatchObject({ event: 'reset', data: { reason: 'other-history', from: 1 } });
    expect(reader.events.map(({ id }) => id)).toEqual(log.map((recorded) => formatCursor(recorded)));
  });

  it('starts a run again whose first events were lost, and shows nothing of the lost attempt', async () => {
    const [backedUp, restored] = [gate(), gate()];
    let tries = 0;
    // One at a time: the second run waits while the first is at work.
    world = await make(
      async ({ message }, context) => {
        await orAborted(backedUp.opened, context.signal);
        if (message !== 'second') return;
        tries += 1;
        const events = createAnswer(context, ['this ', `is try-${tries} `, 'of ', 'many.']);
        await sayOneByOne(context, events.slice(0, 6));
        await orAborted(restored.opened, context.signal);
        await sayOneByOne(context, events.slice(6));
      },
      { maxConcurrentRuns: 1 },
    );
    await startRun(world, 'first');
    const runId = await startRun(world, 'second');
    const viewer = new Viewer(world.origin, runId);
    const putBack = await world.backup();
    backedUp.open();
    await viewer.sees('many.');
    const lostWord = `try-${tries}`;
    await putBack();
    restored.open();
    const last = await viewer.ended.promise;
    expect(last).toEqual(foldRun(runId, await world.storage().log.read(runId, 0, 10_000)));
    expect(last.status).toBe('completed');
    expect(JSON.stringify(last)).not.toContain(lostWord);
  });

  it('ends a run again whose end was lost, and resets a reader who had seen that end', async () => {
    const backedUp = gate();
    world = await make(async (_, context) => {
      const events = createAnswer(context, ['kept ', 'and ', 'ended.']);
      await sayOneByOne(context, events.slice(0, 3));
      await orAborted(backedUp.opened, context.signal);
      await sayOneByOne(context, events.slice(3));
    });
    const runId = await startRun(world, 'first');
    const viewer = new Viewer(world.origin, runId);
    await viewer.sees('kept');
    const putBack = await world.backup();
    backedUp.open();
    const seen = await viewer.ended.promise;
    await putBack();

    const again = new Viewer(world.origin, runId);
    const last = await again.ended.promise;
    const log = await world.storage().log.read(runId, 0, 10_000);
    expect(last).toEqual(foldRun(runId, log));
    const reader = await EventStream.open(`${world.origin}/runs/${runId}/events`, {
      headers: { 'last-event-id': formatCursor(seen) },
    });
    await reader.closed();
    expect(reader.frames[1]).toMatchObject({ event: 'reset' });
  });
});

async function startRun({ origin }: World, message: string): Promise<string> {
  const response = await postJson(`${origin}/runs`, { message });
  return ((await response.json()) as { runId: string }).runId;
}

async function readStatus({ origin }: World, runId: string): Promise<number> {
  return (await fetch(`${origin}/runs/${runId}/events`)).status;
}

function orAborted(gate: Promise<void>, signal: AbortSignal): Promise<unknown> {
  return Promise.race([
    gate,
    new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true })),
  ]);
}

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EventSource } from 'eventsource';
import { type ScriptedStream, StreamServer } from '../../test/client/stream.server.js';
import type { RunEvent } from '../events/run-event.js';
import { getText } from '../events/run-view.js';
import { ChatError } from './chat.error.js';
import type { ChatServiceOptions } from './chat-service.options.js';
import { ChatService } from './chat.service.js';
import type { RunSnapshot, RunStream, Subscription } from './run-stream.js';

const RUN: readonly RunEvent[] = [
  { type: 'run-start', agent: 'assistant', messageId: 'm1' },
  { type: 'step-start', stepId: 's1', name: 'model', attempt: 1 },
  { type: 'text-start', partId: 'p1', messageId: 'm1', stepId: 's1' },
  { type: 'text-delta', partId: 'p1', delta: 'Words ' },
  { type: 'text-delta', partId: 'p1', delta: 'as they ' },
  { type: 'text-delta', partId: 'p1', delta: 'come' },
  { type: 'text-end', partId: 'p1' },
  { type: 'step-end', stepId: 's1', name: 'model', attempt: 1 },
  {
    type: 'end',
    outcome: 'completed',
    usage: { inputTokens: 1, outputTokens: 3, totalTokens: 4 },
    durationMs: 9,
  },
];

let server: StreamServer;
let followed: Followed[];

beforeEach(async () => {
  server = await StreamServer.listen();
  followed = [];
});

afterEach(async () => {
  for (const { subscription } of followed) subscription.unsubscribe();
  await server.close();
});

describe('RunStream', () => {
  it('shows the text of a run as it arrives and completes at its end', async () => {
    server.streams.push((stream) => stream.send(...RUN));
    const run = follow();
    await run.completed;

    expect(run.texts()).toEqual(['', 'Words ', 'Words as they ', 'Words as they come']);
    expect(run.states()).toEqual(['connecting', 'live', 'ended']);
    expect(run.last().view).toMatchObject({ status: 'completed', seq: 9, usage: { totalTokens: 4 } });
  });

  it('closes the connection at the end of a run and does not reconnect', async () => {
    server.streams.push((stream) => stream.send(...RUN));
    await follow().completed;
    await server.streamsClosed();
    expect(server.connections).toHaveLength(1);
  });

  it.each(RUN.slice(0, -1).map((_, index) => index + 1))(
    'loses and repeats nothing when the stream is cut after event %i',
    async (kept) => {
      server.streams.push((stream) => stream.send(...RUN.slice(0, kept)).cut());
      // One event comes again, as it may.
      server.streams.push((stream) => stream.from(kept).send(...RUN.slice(kept - 1)));
      const run = follow();
      await run.completed;

      expect(server.connections[1]?.lastEventId).toBe(`r1.1.${kept}`);
      expect(getText(run.last().view)).toBe('Words as they come');
      expect(run.last().view.parts).toHaveLength(1);
      expect(run.states()).toEqual(['connecting', 'live', 'reconnecting', 'live', 'ended']);
    },
  );

  it("continues a run's stream from an earlier view", async () => {
    server.streams.push((stream) => stream.send(...RUN.slice(0, 5)));
    const before = follow();
    await before.until(({ view }) => view.seq === 5);

    server.streams.push((stream) => stream.from(6).send(...RUN.slice(5)));
    const run = follow({}, (chat) => chat.follow('r1', { after: before.last().view }));
    await run.completed;
    expect(server.connections[1]?.lastEventId).toBe('r1.1.5');
    expect(getText(run.last().view)).toBe('Words as they come');
  });

  it("tells how far the server's clock is ahead", async () => {
    const hour = 3_600_000;
    server.streams.push((stream) => {
      stream.aheadMs = hour;
      stream.send(...RUN);
    });
    const run = follow();
    await run.completed;
    const { serverAheadMs = 0 } = run.last();
    // What the frame took on its way counts as the server's lag.
    expect(serverAheadMs).toBeGreaterThan(hour - 60_000);
    expect(serverAheadMs).toBeLessThanOrEqual(hour);
  });

  it('makes no request when the given view has already ended', async () => {
    server.streams.push((stream) => stream.send(...RUN));
    const before = follow();
    await before.completed;
    const run = follow({}, (chat) => chat.follow('r1', { after: before.last().view }));
    await run.completed;
    expect(run.states()).toEqual(['ended']);
    expect(server.connections).toHaveLength(1);
  });

  it('drops the view at a reset and shows the events after it', async () => {
    server.streams.push((stream) => stream.send(...RUN.slice(0, 5)).cut());
    server.streams.push((stream) => {
      stream.frame('r1.0.0', 'reset', { type: 'reset', reason: 'unknown', from: 1 });
      const [runStart, , textStart] = RUN as [RunEvent, RunEvent, RunEvent];
      stream
        .from(1, 2)
        .send(
          runStart,
          textStart,
          { type: 'text-delta', partId: 'p1', delta: 'Other words' },
          ...RUN.slice(6),
        );
    });
    const run = follow();
    await run.completed;
    expect(run.texts()).toEqual(['', 'Words ', 'Words as they ', '', 'Other words']);
    expect(run.last().view).toMatchObject({ status: 'completed', epoch: 2, seq: 6 });
  });

  it('reconnects by itself when EventSource gives up, with growing waits up to the limit', async () => {
    server.streams.push((stream) => stream.send(...RUN.slice(0, 4)).cut());
    for (let i = 0; i < 6; i++) server.streams.push((stream) => stream.cut());
    server.streams.push((stream) => stream.from(5).send(...RUN.slice(4)));
    const run = follow({ backoff: { baseMs: 4, maxMs: 16 } });
    await run.completed;

    const waits = run.snapshots.flatMap(({ connection }) =>
      connection.state === 'reconnecting' && connection.retryInMs !== undefined ? [connection] : [],
    );
    expect(waits.map(({ attempt }) => attempt)).toEqual([2, 3, 4, 5, 6, 7]);
    waits.forEach(({ attempt, retryInMs }) => {
      const full = Math.min(16, 4 * 2 ** (attempt - 1));
      expect(retryInMs).toBeGreaterThanOrEqual(full / 2);
      expect(retryInMs).toBeLessThanOrEqual(full);
    });
    expect(server.connections.at(-1)?.lastEventId).toBe('r1.1.4');
    expect(getText(run.last().view)).toBe('Words as they come');
  });

  it("fails a run's stream after the maximum number of failed connections", async () => {
    server.streams.push((stream) => stream.send(...RUN.slice(0, 4)).cut());
    for (let i = 0; i < 3; i++) server.streams.push((stream) => stream.cut());
    const run = follow({ maxFailures: 3 });
    await expect(run.completed).rejects.toMatchObject({ code: 'UNREACHABLE' });
    expect(run.states().at(-1)).toBe('failed');
  });

  it('reconnects after a 503, after the time that the server asks for', async () => {
    server.streams.push(
      (stream) => stream.refuse(503),
      (stream) => stream.refuse(503, { 'retry-after': '1' }),
    );
    server.streams.push((stream) => stream.send(...RUN));
    const run = follow();
    await run.completed;
    const [wait] = run.snapshots
      .map(({ connection }) => connection)
      .filter(({ state }) => state === 'reconnecting');
    expect(wait).toMatchObject({ attempt: 1, retryInMs: 1000 });
    expect(getText(run.last().view)).toBe('Words as they come');
  });

  it.each([401, 403, 404])("fails a run's stream when the server answers %i", async (status) => {
    server.streams.push(
      (stream) => stream.refuse(status),
      (stream) => stream.refuse(status),
    );
    const run = follow();
    const error: unknown = await run.completed.catch((error: unknown) => error);
    expect(error).toMatchObject({ name: 'ChatError', status, code: 'TESTED', message: 'A reason to show.' });
    expect((error as ChatError).needsSignIn).toBe(status === 401);
    expect(run.last().connection).toEqual({ state: 'failed', error });
    await server.streamsClosed();
  });

  it('takes the outcome from the stored run when the stream has no more events', async () => {
    server.streams.push(
      (stream) => stream.refuse(204),
      (stream) => stream.refuse(204),
    );
    server.record = { status: 'cancelled' };
    const run = follow();
    await run.completed;
    expect(run.last().view).toMatchObject({ status: 'cancelled', parts: [] });
  });

  it('reopens a silent stream after the last event and stays live', async () => {
    server.streams.push((stream) => stream.send(...RUN.slice(0, 4)));
    server.streams.push((stream) => stream.from(5).send(...RUN.slice(4)));
    const run = follow({ silenceMs: 500 });
    await run.completed;
    expect(server.connections[1]?.lastEventId).toBe('r1.1.4');
    expect(run.states()).toEqual(['connecting', 'live', 'ended']);
  });

  it('gives up on a connection without a reply and opens another', async () => {
    server.streams.push(() => {});
    server.streams.push((stream) => stream.send(...RUN));
    const run = follow({ answerMs: 1_000 });
    await run.completed;
    expect(run.states()).toEqual(['connecting', 'reconnecting', 'live', 'ended']);
  });
});

describe('unsubscribing from a RunStream', () => {
  it.each([
    ['while it connects', [(stream: ScriptedStream) => void stream], 'connecting'],
    ['while it is live', [(stream: ScriptedStream) => stream.send(...RUN.slice(0, 4))], 'live'],
    [
      'while it waits',
      [(s: ScriptedStream) => s.refuse(503), (s: ScriptedStream) => s.refuse(503)],
      'reconnecting',
    ],
  ])('leaves no connection and no timer when unsubscribed %s', async (_, streams, state) => {
    const timersBefore = timers();
    server.streams.push(...streams);
    const run = follow({ backoff: { baseMs: 60_000, maxMs: 60_000 } });
    await run.until(({ connection }) => connection.state === state);
    await server.connected(streams.length);
    const seen = run.snapshots.length;

    run.subscription.unsubscribe();
    run.subscription.unsubscribe();
    await server.streamsClosed();
    expect(timers()).toBeLessThanOrEqual(timersBefore);
    expect(run.snapshots).toHaveLength(seen);
    expect(server.connections).toHaveLength(streams.length);
  });

  it('aborts the request for a ticket when unsubscribed', async () => {
    const timersBefore = timers();
    server.ticketStatus = 'never';
    const run = follow({ headers: { authorization: 'Bearer token' } });
    await server.ticketAsked();
    run.subscription.unsubscribe();
    await server.streamsClosed();
    expect(timers()).toBeLessThanOrEqual(timersBefore);
    expect(run.states()).toEqual(['connecting']);
    expect(server.connections).toEqual([]);
  });

  it('opens no connection when unsubscribed before the first snapshot', async () => {
    const run = follow();
    run.subscription.unsubscribe();
    await Promise.resolve();
    expect(run.snapshots).toEqual([]);
    expect(server.connections).toEqual([]);
  });

  it('opens no connection when unsubscribed by the first snapshot', async () => {
    const run = follow();
    await run.until(() => {
      run.subscription.unsubscribe();
      return true;
    });
    await Promise.resolve();
    expect(server.connections).toEqual([]);
  });
});

describe('RunStream with headers', () => {
  it('opens each stream with a new ticket and puts no header into a URL', async () => {
    server.streams.push((stream) => stream.send(...RUN.slice(0, 4)).cut());
    server.streams.push(
      (stream) => stream.refuse(401),
      (stream) => stream.refuse(503),
    );
    server.streams.push((stream) => stream.from(5).send(...RUN.slice(4)));
    let tokens = 0;
    const run = follow({ headers: () => ({ authorization: `Bearer token-${++tokens}` }) });
    await run.completed;

    expect(server.connections.map(({ url }) => url.searchParams.get('ticket'))).toEqual([
      'ticket-1',
      'ticket-1', // EventSource itself; refused, so somebody has to look why
      null,
      'ticket-2',
    ]);
    expect(server.connections[3]?.lastEventId).toBe('r1.1.4');
    expect(server.connections[2]?.authorization).toMatch(/^Bearer token-/);
    expect(server.connections.map(({ url }) => url.href).join()).not.toContain('token-');
    expect(getText(run.last().view)).toBe('Words as they come');
  });

  it("fails a run's stream when it gets no ticket", async () => {
    server.ticketStatus = 401;
    const run = follow({ headers: { authorization: 'Bearer old' } });
    await expect(run.completed).rejects.toMatchObject({ code: 'TESTED', needsSignIn: true });
  });
});

describe('RunHandle.result', () => {
  it('resolves the result of a run with the view at its end', async () => {
    server.streams.push((stream) => stream.send(...RUN));
    const run = await chat().start('Hello');
    expect(getText(await run.result())).toBe('Words as they come');
  });

  it('rejects the result of a run and closes its stream when the signal is aborted', async () => {
    server.streams.push((stream) => stream.send(...RUN.slice(0, 3)));
    const run = await chat().start('Hello');
    const stop = new AbortController();
    const result = run.result({ signal: stop.signal });
    await server.connected(1);
    stop.abort(new Error('enough'));
    await expect(result).rejects.toThrow('enough');
    await server.streamsClosed();
  });
});

function chat(options: Partial<ChatServiceOptions> = {}): ChatService {
  return new ChatService({
    baseUrl: `${server.origin}/api/chat/`,
    EventSource,
    backoff: { baseMs: 2, maxMs: 10 },
    ...options,
  });
}

interface Followed {
  readonly snapshots: readonly RunSnapshot[];
  readonly completed: Promise<void>;
  readonly subscription: Subscription;
  last(): RunSnapshot;
  /** The states, each once per change. */
  states(): string[];
  /** The texts, each once per change. */
  texts(): string[];
  until(seen: (snapshot: RunSnapshot) => boolean): Promise<void>;
}

function follow(
  options: Partial<ChatServiceOptions> = {},
  stream: (chat: ChatService) => RunStream = (chat) => chat.follow('r1'),
): Followed {
  const snapshots: RunSnapshot[] = [];
  const waiting = new Set<() => void>();
  let subscription: Subscription | undefined;
  const completed = new Promise<void>((complete, error) => {
    subscription = stream(chat(options)).subscribe({
      next: (snapshot) => {
        snapshots.push(snapshot);
        for (const look of waiting) look();
      },
      complete,
      error,
    });
  });
  completed.catch(() => {});
  const run: Followed = {
    snapshots,
    completed,
    subscription: subscription as unknown as Subscription,
    last: () => snapshots.at(-1) as RunSnapshot,
    states: () => changes(snapshots.map(({ connection }) => connection.state)),
    texts: () => changes(snapshots.map(({ view }) => getText(view))),
    until: (seen) =>
      new Promise((resolve) => {
        const look = () => {
          if (snapshots.length === 0 || !seen(run.last())) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
  };
  followed.push(run);
  return run;
}

function changes(values: readonly string[]): string[] {
  return values.filter((value, index) => value !== values[index - 1]);
}

/** Timers that keep the process alive; those of the HTTP client do not. */
function timers(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
}

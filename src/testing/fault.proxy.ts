import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { randomFrom, toSeed, type Random } from './random.js';

/**
 * Faults that a proxy injects into one connection. Nothing set: it only passes bytes on. Times are milliseconds from the
 * connection's start.
 */
export interface ConnectionFaults {
  /** Ends the connection in an orderly way (FIN) at that time. */
  readonly cutAfterMs?: number;
  /** Resets the connection (RST) once so many bytes have come from the server: in the middle of a frame, as a rule. */
  readonly resetAfterBytes?: number;
  /** Passes at most so many bytes of an answer on at a time. */
  readonly chunkBytes?: number;
  /** Holds each piece of an answer back for so long, and up to `jitterMs` longer. Nothing overtakes. */
  readonly delayMs?: number;
  readonly jitterMs?: number;
  /** Passes nothing on any more after that time, and keeps both sides open: what a dead network looks like. */
  readonly silentAfterMs?: number;
  /** Ends the connection when nothing has come from the server for so long, as many proxies do. */
  readonly idleCutMs?: number;
}

export interface FaultProxyOptions {
  /** The port on loopback to connect to, asked for each connection; undefined: the connection is refused by a reset. */
  readonly target: () => number | undefined;
  /** The faults of the n-th connection, from 0. `random` is its own, and the same for the same seed. Default: none. */
  readonly faults?: (connection: number, random: Random) => ConnectionFaults;
  /** Default 1. */
  readonly seed?: number;
}

/** Stands between clients and a server on loopback, and does to each connection what a plan says. */
export class FaultProxy {
  private readonly pairs = new Set<Pair>();
  private count = 0;

  private constructor(
    private readonly server: Server,
    private readonly options: FaultProxyOptions,
  ) {
    server.on('connection', (client: Socket) => this.accept(client));
  }

  static async listen(options: FaultProxyOptions): Promise<FaultProxy> {
    // Half-open is allowed so that one side's end is passed on like everything else.
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const proxy = new FaultProxy(server, options);
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 });
    await once(server, 'listening');
    return proxy;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Connections that have been made so far. */
  get connections(): number {
    return this.count;
  }

  /** Connections that are open now. */
  get open(): number {
    return this.pairs.size;
  }

  /** Ends all open connections: in an orderly way, or by a reset. */
  drop(how: 'cut' | 'reset'): void {
    for (const pair of this.pairs) pair.end(how);
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.drop('reset');
    await closed;
  }

  private accept(client: Socket): void {
    const index = this.count++;
    const port = this.options.target();
    client.on('error', () => undefined);
    if (port === undefined) {
      client.resetAndDestroy();
      return;
    }
    const random = randomFrom(toSeed(this.options.seed ?? 1, index));
    const pair = new Pair(client, port, this.options.faults?.(index, random) ?? {}, random);
    this.pairs.add(pair);
    void pair.closed.then(() => this.pairs.delete(pair));
  }
}

/** One connection: a client, the server, and what happens between them. */
class Pair {
  readonly closed: Promise<void>;
  private readonly upstream: Socket;
  private readonly timers: NodeJS.Timeout[] = [];
  private isSilent = false;
  private passed = 0;

  constructor(
    private readonly client: Socket,
    port: number,
    private readonly faults: ConnectionFaults,
    private readonly random: Random,
  ) {
    this.upstream = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const { client: near, upstream: far } = this;
    far.on('error', () => this.end('reset'));
    near.on('error', () => this.end('reset'));
    // The side that closes takes the other along.
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
    this.closed = new Promise((resolve) => {
      near.on('close', () => {
        this.timers.forEach(clearTimeout);
        resolve();
      });
    });

    this.after(faults.cutAfterMs, () => this.end('cut'));
    this.after(faults.silentAfterMs, () => (this.isSilent = true));
    if (faults.idleCutMs !== undefined) far.setTimeout(faults.idleCutMs, () => this.end('cut'));
    void this.request();
    void this.forwardReplies();
  }

  end(how: 'cut' | 'reset'): void {
    if (how === 'reset') this.client.resetAndDestroy();
    else this.client.end(() => this.client.destroy());
    this.upstream.destroy();
  }

  /** Passes on the client's bytes as they are. */
  private async request(): Promise<void> {
    const { client, upstream } = this;
    await this.forward(client, upstream, (piece) => write(upstream, piece));
  }

  private async forwardReplies(): Promise<void> {
    const { client, upstream, faults } = this;
    const { delayMs = 0, jitterMs = 0, chunkBytes, resetAfterBytes = Infinity } = faults;
    await this.forward(upstream, client, async (piece) => {
      if (delayMs + jitterMs > 0) await sleep(delayMs + this.random() * jitterMs);
      for (const chunk of splitInto(piece, chunkBytes)) {
        const room = resetAfterBytes - this.passed;
        await write(client, chunk.subarray(0, room));
        // A turn for the other side, or the system would hand it the chunks in one piece.
        if (chunkBytes !== undefined) await turn();
        this.passed += chunk.length;
        if (chunk.length >= room) return this.end('reset');
      }
    });
  }

  private async forward(from: Socket, to: Socket, pass: (piece: Buffer) => Promise<void>): Promise<void> {
    try {
      for await (const piece of from) if (!this.isSilent) await pass(piece as Buffer);
      if (!this.isSilent) to.end();
    } catch {
      // A side went away in the middle: its `close` takes the other along.
    }
  }

  private after(ms: number | undefined, act: () => void): void {
    if (ms !== undefined) this.timers.push(setTimeout(act, ms));
  }
}

function* splitInto(piece: Buffer, size = piece.length): Generator<Buffer> {
  for (let start = 0; start < piece.length; start += size) yield piece.subarray(start, start + size);
}

/** Resolves when the bytes have been handed to the system, so that chunks do not meet again in a buffer of ours. */
function write(socket: Socket, bytes: Buffer): Promise<void> {
  if (bytes.length === 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    socket.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}

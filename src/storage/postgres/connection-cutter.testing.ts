import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Stands between a storage and its database, and cuts their connections at the worst moments. */
export class ConnectionCutter {
  cuts = 0;
  /** Resolves at the next cut. */
  cut: Promise<void> = Promise.resolve();
  private isCut: () => void = () => undefined;
  private refusing = false;
  /** Number of requests that get through before one fails; undefined: all. */
  private requestsLeft: number | undefined;
  private losingReplyTo: string | undefined;
  private refusesThen = false;
  /** Number of requests answered in place of the database. */
  failed = 0;
  private failure:
    | { readonly code: string; readonly message: string; readonly at: 'request' | 'connect'; times: number }
    | undefined;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    target: number,
  ) {
    server.on('connection', (client) => this.carry(client, target));
  }

  static async listen(target: number): Promise<ConnectionCutter> {
    const server = createServer();
    const cutter = new ConnectionCutter(server, target);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return cutter;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Cuts when the database says that a command with this tag is done: it is committed, and nobody gets to know. */
  loseReplyAfterCommit(
    tag: 'SELECT' | 'INSERT' | 'COMMIT',
    { thenRefuse = false }: { readonly thenRefuse?: boolean } = {},
  ): void {
    this.arm();
    this.losingReplyTo = tag;
    this.refusesThen = thenRefuse;
  }

  /** Cuts before the next request gets to the database, or after so many have. */
  loseNextRequest({ after = 0 }: { readonly after?: number } = {}): void {
    this.arm();
    this.requestsLeft = after;
  }

  /** Answers so many requests, or connections, with this error in place of the database. */
  fail(
    answer: { readonly code: string; readonly message: string; readonly at: 'request' | 'connect' },
    times = 1,
  ): void {
    this.failure = { ...answer, times };
  }

  /** Lets everything through again. */
  accept(): void {
    this.refusing = false;
    this.requestsLeft = undefined;
  }

  async close(): Promise<void> {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await once(this.server, 'close');
  }

  private arm(): void {
    this.cut = new Promise((resolve) => (this.isCut = resolve));
  }

  private carry(client: Socket, target: number): void {
    if (this.refusing) {
      client.destroy();
      return;
    }
    const database = connect(target, '127.0.0.1');
    for (const socket of [client, database]) {
      this.sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.sockets.delete(socket);
        client.destroy();
        database.destroy();
      });
    }
    let connected = false;
    client.on('data', (bytes) => {
      const { failure } = this;
      const at = connected ? 'request' : 'connect';
      connected = true;
      // A request ends with a Sync, or is a simple one. What a driver says while it connects is neither.
      const isRequest = bytes[0] === 0x51 || bytes.subarray(-5).equals(SYNC);
      if (failure && failure.times > 0 && failure.at === at && (at === 'connect' || isRequest)) {
        failure.times -= 1;
        this.failed += 1;
        const isFatal = at === 'connect' || failure.code.startsWith('57P');
        client.write(errorResponse(failure, isFatal));
        if (isFatal) client.end();
        else client.write(READY);
        return undefined;
      }
      if (this.requestsLeft === undefined) return database.write(bytes);
      if (this.requestsLeft > 0) {
        this.requestsLeft -= 1;
        return database.write(bytes);
      }
      this.requestsLeft = undefined;
      return this.cutOff(client);
    });
    database.on('data', (bytes) => {
      // The tag of a command that is done ends with a zero byte, as in `COMMIT\0`, `SELECT 1\0` and `INSERT 0 1\0`.
      const tag = this.losingReplyTo;
      if (tag === undefined || !new RegExp(`C....${tag}( \\d+)*\\0`, 's').test(bytes.toString('latin1'))) {
        return client.write(bytes);
      }
      this.losingReplyTo = undefined;
      this.refusing = this.refusesThen;
      return this.cutOff(client);
    });
  }

  private cutOff(client: Socket): void {
    this.cuts += 1;
    client.destroy();
    this.isCut();
  }
}

const SYNC = Buffer.from([0x53, 0, 0, 0, 4]);
/** ReadyForQuery, outside of a transaction. */
const READY = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

/** As PostgreSQL writes it: https://www.postgresql.org/docs/current/protocol-error-fields.html */
function errorResponse({ code, message }: { code: string; message: string }, isFatal: boolean): Buffer {
  const fields = `S${isFatal ? 'FATAL' : 'ERROR'}\0C${code}\0M${message}\0\0`;
  const head = Buffer.alloc(5);
  head.write('E');
  head.writeUInt32BE(4 + Buffer.byteLength(fields), 1);
  return Buffer.concat([head, Buffer.from(fields)]);
}

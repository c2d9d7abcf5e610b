import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Stands between a storage and its database, and cuts their connections at the worst moments. */
export class ConnectionCutter {
  cuts = 0;
  /** Resolves at the next cut. */
  cut: Promise<void> = Promise.resolve();
  private isCut: () => void = () => undefined;
  private refusing = false;
  private losingRequest = false;
  private losingReplyTo: string | undefined;
  private refusesThen = false;
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

  /** Cuts before the next request gets to the database. */
  loseNextRequest(): void {
    this.arm();
    this.losingRequest = true;
  }

  /** Lets connections through again. */
  accept(): void {
    this.refusing = false;
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
    client.on('data', (bytes) => {
      if (!this.losingRequest) return database.write(bytes);
      this.losingRequest = false;
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

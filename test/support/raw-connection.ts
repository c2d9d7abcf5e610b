import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A connection on which the test decides what is sent, byte by byte, and when anything is read. */
export class RawConnection {
  private received = '';
  private readonly listeners = new Set<() => void>();
  private ended = false;
  private method = '';

  private constructor(readonly socket: Socket) {
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => this.change(() => (this.received += text)));
    // A server that closes with bytes unread resets the connection.
    socket.on('error', () => {});
    socket.on('close', () => this.change(() => (this.ended = true)));
  }

  static async open(port: number, options: { readonly localAddress?: string } = {}): Promise<RawConnection> {
    const socket = connect({ port, host: '127.0.0.1', ...options });
    const connection = new RawConnection(socket);
    await new Promise<void>((resolve) => {
      socket.once('connect', resolve).once('close', () => resolve());
    });
    return connection;
  }

  /** Sends the head of a request, and of its body only what is given. */
  request(method: string, path: string, headers: Readonly<Record<string, string>> = {}, body = ''): void {
    this.method = method;
    const lines = Object.entries({ host: 'localhost', ...headers }).map(
      ([name, value]) => `${name}: ${value}`,
    );
    this.socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
  }

  /** Resolves with the next whole answer. */
  async answer(): Promise<RawAnswer> {
    for (;;) {
      const answer = this.takeAnswer();
      if (answer) return answer;
      if (this.ended) throw new Error(`The server closed in the middle of an answer: '${this.received}'`);
      await this.changed();
    }
  }

  /** Resolves when the connection is closed. */
  async closed(): Promise<void> {
    while (!this.ended) await this.changed();
  }

  leave(): void {
    this.socket.destroy();
  }

  private takeAnswer(): RawAnswer | undefined {
    const end = this.received.indexOf('\r\n\r\n');
    if (end < 0) return undefined;
    const [first = '', ...lines] = this.received.slice(0, end).split('\r\n');
    const headers = Object.fromEntries(
      lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
      }),
    );
    const rest = this.received.slice(end + 4);
    const status = Number(first.split(' ')[1]);
    const length = status < 200 || this.method === 'HEAD' ? 0 : Number(headers['content-length'] ?? 0);
    if (rest.length < length) return undefined;
    this.received = rest.slice(length);
    return { status, headers, body: rest.slice(0, length) };
  }

  private change(apply: () => void): void {
    apply();
    for (const listener of this.listeners) listener();
  }

  private changed(): Promise<void> {
    return new Promise((resolve) => {
      const listener = (): void => {
        this.listeners.delete(listener);
        resolve();
      };
      this.listeners.add(listener);
    });
  }
}

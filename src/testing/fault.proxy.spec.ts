import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FaultProxy, type FaultProxyOptions } from './fault.proxy.js';

describe('FaultProxy', () => {
  let server: Server;
  let accepted: Promise<Socket>;
  let proxy: FaultProxy | undefined;
  const sockets: Socket[] = [];

  beforeEach(async () => {
    server = createServer({ allowHalfOpen: true });
    server.on('connection', (socket: Socket) => sockets.push(socket.on('error', () => undefined)));
    accepted = once(server, 'connection').then(([socket]) => socket as Socket);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  afterEach(async () => {
    await proxy?.close();
    for (const socket of sockets.splice(0)) socket.destroy();
    server.close();
  });

  /** A client of the proxy, and the server's end of the same connection. */
  async function connected(options: Omit<FaultProxyOptions, 'target'>) {
    proxy = await FaultProxy.listen({ ...options, target: () => (server.address() as AddressInfo).port });
    const client = connect(Number(new URL(proxy.origin).port), '127.0.0.1');
    const arrived: Buffer[] = [];
    client.on('data', (piece: Buffer) => arrived.push(piece));
    const end = howItEnds(client);
    await once(client, 'connect');
    return { client, far: await accepted, arrived, end, text: () => Buffer.concat(arrived).toString() };
  }

  it('passes on data and ends of both directions without faults', async () => {
    const { client, far, text, end } = await connected({});
    client.write('question');
    expect(String(await once(far, 'data'))).toBe('question');
    far.end('answer');
    expect(await end).toBe('end');
    expect(text()).toBe('answer');
  });

  it('resets connections while there is no server', async () => {
    proxy = await FaultProxy.listen({ target: () => undefined });
    const client = connect(Number(new URL(proxy.origin).port), '127.0.0.1');
    expect(await howItEnds(client)).toBe('ECONNRESET');
  });

  it('ends a connection in order after cutAfterMs', async () => {
    const { far, end, text } = await connected({ faults: () => ({ cutAfterMs: 1_000 }) });
    far.write('so far');
    expect(await end).toBe('end');
    expect(text()).toBe('so far');
  });

  it('resets a connection in the middle of a frame after resetAfterBytes', async () => {
    const { far, end } = await connected({ faults: () => ({ resetAfterBytes: 7 }) });
    far.write('id: 1\ndata: {}\n\n');
    expect(await end).toBe('ECONNRESET');
    expect(far.bytesWritten).toBe(16);
  });

  it('passes on a response in small pieces and loses none', async () => {
    const { far, end, arrived, text } = await connected({ faults: () => ({ chunkBytes: 1 }) });
    far.end('id: 1\ndata: äöü\n\n');
    expect(await end).toBe('end');
    expect(text()).toBe('id: 1\ndata: äöü\n\n');
    expect(arrived.length).toBeGreaterThan(1);
  });

  it('delays a response and keeps its order', async () => {
    const { far, client, text } = await connected({ faults: () => ({ delayMs: 30, jitterMs: 20 }) });
    const startedAt = performance.now();
    for (const piece of ['a', 'b', 'c']) await new Promise((sent) => far.write(piece, sent));
    while (text().length < 3) await once(client, 'data');
    expect(text()).toBe('abc');
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(29);
  });

  it('falls silent and keeps both sides of a connection open', async () => {
    const { client, far, end, text } = await connected({ faults: () => ({ silentAfterMs: 1 }) });
    let heard = 0;
    far.on('data', () => (heard += 1));
    await sleep(50);
    client.write('hello?');
    far.write('hello?');
    await afterTurns(50);
    expect([text(), heard]).toEqual(['', 0]);
    expect([client.readyState, far.readyState]).toEqual(['open', 'open']);
    proxy?.drop('reset');
    expect(await end).toBe('ECONNRESET');
  });

  it('cuts a connection on which the server sends nothing', async () => {
    const { end } = await connected({ faults: () => ({ idleCutMs: 40 }) });
    expect(await end).toBe('end');
  });

  it('drops all connections at once and counts them', async () => {
    const { end } = await connected({});
    expect(proxy?.open).toBe(1);
    proxy?.drop('cut');
    expect(await end).toBe('end');
    expect(proxy?.connections).toBe(1);
  });

  it('draws the same faults for the same seed', async () => {
    const drawn = async (seed: number) => {
      const numbers: number[] = [];
      proxy = await FaultProxy.listen({
        seed,
        target: () => (server.address() as AddressInfo).port,
        faults: (connection, random) => {
          numbers[connection] = random();
          return {};
        },
      });
      for (let count = 0; count < 3; count += 1) {
        const client = connect(Number(new URL(proxy.origin).port), '127.0.0.1');
        const end = howItEnds(client);
        while (proxy.connections <= count) await afterTurns(1);
        client.end();
        proxy.drop('cut');
        await end;
      }
      await proxy.close();
      proxy = undefined;
      return numbers;
    };
    const [first, again, other] = [await drawn(1), await drawn(1), await drawn(2)];
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
  });
});

/** `end` for an orderly end, else the code of the error. */
function howItEnds(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.once('end', () => resolve('end'));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

async function afterTurns(count: number): Promise<undefined> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  return undefined;
}

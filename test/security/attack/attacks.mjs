import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';

const OWNER = 'key-of-ann-with-enough-characters-to-be-one';
const OTHER = 'key-of-ben-with-enough-characters-to-be-one';

export const KEYS = {
  owner: OWNER,
  other: OTHER,
  settings: {
    AUTH_API_KEYS: `${OWNER}:ann@acme,${OTHER}:ben@acme`,
    AUTH_TICKET_SECRET: 'a secret of at least thirty-two characters',
  },
};

const BELOW_4_MIB = 4 * 1024 ** 2 - 1024;
const HOLD_MS = 4_000;
const CONNECT_MS = 30_000;
const PACKED = gzipSync(Buffer.from(`{"messages":[],"x":"${'x'.repeat(BELOW_4_MIB)}`));
const SPACES = Buffer.alloc(64 * 1024, ' ');

/** The attacks, by name: each gets `{ url, port, count }`, and returns what became of it. `maxMiB`: what RSS may grow by. */
export const ATTACKS = {
  // A few kilobytes that unpack to 4 MiB, without an end.
  gzip: {
    run: (target) =>
      holdOpen(target, (socket) => {
        socket.write(
          head('POST', LARGE_PATH, { 'content-encoding': 'gzip', 'transfer-encoding': 'chunked' }),
        );
        socket.write(`${PACKED.length.toString(16)}\r\n`);
        socket.write(PACKED);
        socket.write('\r\n');
      }),
  },
  // The same byte for byte: each sends up to 1 MiB of a body that says it has 4.
  bodies: {
    run: (target) =>
      holdOpen(target, (socket) => {
        socket.write(head('POST', LARGE_PATH, { 'content-length': String(BELOW_4_MIB) }));
        for (let sent = 0; sent < 16; sent++) socket.write(SPACES);
      }),
  },
  'wrong-key': {
    run: (target) =>
      holdOpen(target, (socket) => {
        const headers = {
          'content-length': String(BELOW_4_MIB),
          'x-api-key': 'a-key-that-nobody-has-been-given',
        };
        socket.write(head('POST', LARGE_PATH, headers));
        for (let sent = 0; sent < 4; sent++) socket.write(SPACES);
      }),
  },
  // Sign-ins bring their credentials in the body, so that body has to be read.
  'sign-in': {
    run: (target) =>
      holdOpen(target, (socket) => {
        socket.write(head('POST', '/api/auth/session', { 'content-length': '24000' }));
        socket.write(`{"token":"${'x'.repeat(23_000)}`);
      }),
  },
  // Whole bodies of what takes longest to parse.
  parsing: { run: ({ url }) => parse(url, {}) },
  'parsing-known': { maxMiB: 128, run: ({ url }) => parse(url, { 'x-api-key': OWNER }) },
  // Somebody with credentials.
  known: {
    maxMiB: 96,
    run: (target) =>
      holdOpen(target, (socket) => {
        const headers = { 'content-length': String(BELOW_4_MIB), 'x-api-key': OWNER };
        socket.write(head('POST', LARGE_PATH, headers));
        for (let sent = 0; sent < 16; sent++) socket.write(SPACES);
      }),
  },
  'known-dribbling': {
    maxMiB: 96,
    run: (target) =>
      holdOpen({ ...target, count: Math.min(target.count, 50) }, (socket) => {
        socket.write(head('POST', LARGE_PATH, { 'transfer-encoding': 'chunked', 'x-api-key': OWNER }));
        const chunks = Buffer.from('1\r\n \r\n'.repeat(10_000));
        for (let sent = 0; sent < 20; sent++) socket.write(chunks);
      }),
  },
  silent: { run: (target) => holdOpen(target, () => {}) },
  headers: {
    run: (target) =>
      holdOpen(target, (socket) => {
        socket.write(
          `GET /health/live HTTP/1.1\r\nhost: localhost\r\n${'x-filler: 12345678901234\r\n'.repeat(350)}`,
        );
      }),
  },
  // Clients that ask for something large and never read it.
  'not-reading': {
    run: (target) =>
      holdOpen(
        target,
        (socket) => {
          socket.pause();
          socket.write(head('GET', '/docs/swagger-ui-bundle.js', {}));
        },
        { reads: false },
      ),
  },
  pipelining: {
    run: (target) =>
      holdOpen(
        target,
        (socket) => {
          socket.pause();
          socket.write(head('GET', '/openapi.json', {}).repeat(400));
        },
        { reads: false },
      ),
  },
  'files-pipelined': {
    run: (target) =>
      holdOpen(
        target,
        (socket) => {
          socket.pause();
          socket.write(head('GET', '/vendor/dompurify.js', {}).repeat(8));
        },
        { reads: false },
      ),
  },
  'few-pipelined': {
    run: (target) =>
      holdOpen(
        target,
        (socket) => {
          socket.pause();
          socket.write(head('GET', '/openapi.json', {}).repeat(8));
        },
        { reads: false },
      ),
  },
};

/** Path at which the longest requests are accepted. */
const LARGE_PATH = '/protocols/ai-sdk/chat';

function head(method, path, headers) {
  const lines = Object.entries({ host: 'localhost', 'content-type': 'application/json', ...headers });
  return `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}

/** Opens connections, does the same on each, and keeps them open for HOLD_MS from when all have got through. */
async function holdOpen({ port, count }, send, { reads = true } = {}) {
  const statuses = new Map();
  const sockets = new Set();
  const seen = { connected: 0, closed: 0 };
  for (let index = 0; index < count; index++) {
    const socket = connect({ port, host: '127.0.0.1' });
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => seen.closed++);
    socket.once('connect', () => {
      seen.connected++;
      send(socket);
    });
    if (reads)
      socket.once('data', (data) => {
        const status = /^HTTP\/1\.1 (\d+)/.exec(data.toString('latin1'))?.[1] ?? 'something else';
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      });
    if (index % 50 === 49) await new Promise((wake) => setTimeout(wake, 5));
  }
  const deadline = performance.now() + CONNECT_MS;
  while (seen.connected < sockets.size && performance.now() < deadline)
    await new Promise((wake) => setTimeout(wake, 20));
  await new Promise((wake) => setTimeout(wake, HOLD_MS));
  const answers = [...statuses].map(([status, times]) => `${times} × ${status}`).join(' and ');
  const outcome = `${answers || 'no answers'}, ${seen.connected} got through, ${seen.closed} of ${count} closed`;
  for (const socket of sockets) socket.destroy();
  return { outcome };
}

/** 40 whole bodies of just under 4 MiB, all at once. */
async function parse(url, headers) {
  const body = `[${'{},'.repeat(BELOW_4_MIB / 3)}{}]`;
  const statuses = new Map();
  const one = async () => {
    const status = await fetch(`${url}${LARGE_PATH}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    }).then(
      async (response) => {
        await response.text();
        return response.status;
      },
      () => 'no answer',
    );
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  };
  await Promise.all(Array.from({ length: 40 }, one));
  return { outcome: [...statuses].map(([status, times]) => `${times} × ${status}`).join(' and ') };
}

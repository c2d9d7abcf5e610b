// The process of the readers. See readers.mjs.
import { connect } from 'node:net';
import { MARK } from './speech.mjs';

/** Connections that are opened at a time: more would only wait in the server's backlog. */
const AT_ONCE = 50;
const MARK_BYTE = MARK.charCodeAt(0);
const HEARD_MS = 60_000;

const groups = new Map();
const operations = { open, expect, heard, keep };

process.on('message', ({ id, operation, args }) => {
  operations[operation](...args).then(
    (result) => process.send({ id, result }),
    (error) => process.send({ id, error: error.stack }),
  );
});
process.on('disconnect', () => process.exit(0));

async function open(url, count) {
  const group = { sockets: [], marks: 0, done: 0 };
  groups.set(url, group);
  while (group.sockets.length < count) {
    const some = Math.min(AT_ONCE, count - group.sockets.length);
    group.sockets.push(...(await Promise.all(Array.from({ length: some }, () => greeted(url, group)))));
  }
}

function greeted(url, group) {
  const { hostname, port, pathname } = new URL(url);
  return new Promise((resolve, reject) => {
    const reader = { marks: 0 };
    const socket = connect(Number(port), hostname, () =>
      socket.write(
        `GET ${pathname} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAccept: text/event-stream\r\n\r\n`,
      ),
    );
    let greeting = '';
    const greet = (bytes) => {
      greeting += bytes.latin1Slice();
      if (!/event: ?ready/.test(greeting)) return;
      socket.off('data', greet);
      socket.on('data', (heard) => count(heard, reader, group));
      resolve(Object.assign(socket, { reader }));
    };
    socket.on('data', greet);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`${url} ended the stream. It said:\n${greeting}`)));
  });
}

function count(bytes, reader, group) {
  const before = reader.marks;
  for (let at = bytes.indexOf(MARK_BYTE); at !== -1; at = bytes.indexOf(MARK_BYTE, at + 1)) reader.marks += 1;
  if (reader.marks === before || reader.marks < group.marks) return;
  if (reader.marks > group.marks) throw new Error('A reader heard something twice.');
  group.done += 1;
  if (group.done === group.sockets.length) group.onDone();
}

async function expect(url, marks) {
  const group = groups.get(url);
  for (const { reader } of group.sockets) reader.marks = 0;
  const { promise, resolve, reject } = Promise.withResolvers();
  const startedAt = performance.now();
  const cpu = process.cpuUsage();
  const late = () => reject(new Error(`Only ${group.done} of the readers of ${url} have heard everything.`));
  const timer = setTimeout(late, HEARD_MS);
  const onDone = () => {
    clearTimeout(timer);
    const { user, system } = process.cpuUsage(cpu);
    resolve({ cpuShare: (user + system) / 1000 / (performance.now() - startedAt) });
  };
  Object.assign(group, { marks, done: 0, onDone, allHeard: promise });
}

async function heard(url) {
  return groups.get(url).allHeard;
}

async function keep(url, count) {
  const leaving = groups.get(url).sockets.splice(count);
  await Promise.all(leaving.map((socket) => new Promise((resolve) => leave(socket, resolve))));
}

function leave(socket, left) {
  socket.removeAllListeners('close').once('close', left).destroy();
}

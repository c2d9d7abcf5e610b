// Readers of event streams, thousands of them, on plain sockets in a process of their own.
//
//   const readers = startReaders()
//   await readers.open(url, count)            resolves when each has been greeted
//   await readers.expect(url, marks)   from now on each of its readers has to hear so many marks, and no more
//   await readers.heard(url)           resolves when all have; { cpuShare } of the process that reads, since `expect`
//   await readers.keep(url, count)     the others leave
//   readers.stop()
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ENTRY = fileURLToPath(new URL('./readers.process.mjs', import.meta.url));

export function startReaders() {
  const child = fork(ENTRY, { execArgv: [] });
  const waiting = new Map();
  let ids = 0;
  child.on('message', ({ id, result, error }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (error) reject(new Error(`The readers failed: ${error}`));
    else resolve(result);
  });
  child.on('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error('The process of the readers has ended.'));
  });
  const call = (operation, ...args) => {
    const { promise, resolve, reject } = Promise.withResolvers();
    waiting.set((ids += 1), { resolve, reject });
    child.send({ id: ids, operation, args });
    return promise;
  };
  return {
    open: (url, count) => call('open', url, count),
    expect: (url, marks) => call('expect', url, marks),
    heard: (url) => call('heard', url),
    keep: (url, count) => call('keep', url, count),
    stop: () => child.kill(),
  };
}

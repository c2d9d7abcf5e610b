import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads';
import { openDatabase, type OpenDatabase } from './database.ts';
import { problemOf } from './problem.ts';
import type { Call, Opening, Reply, Request, WorkerOptions } from './protocol.js';
import { transactionsOn } from './transactions.ts';

// The one thread that touches the database, so that neither a commit nor a long read ever holds up the event loop.

/** Serves until it is told to close. Without a listener left, the worker then ends by itself. */
function serve(port: MessagePort, { db, close }: OpenDatabase): void {
  const transact = transactionsOn(db);
  port.on('message', (first: Request) => {
    const calls: Call[] = [];
    let request: Request | undefined = first;
    // What has queued up while the last commit was under way goes into one transaction: the slower the disk, the bigger.
    while (request !== undefined && request !== 'close') {
      calls.push(...request);
      request = receiveMessageOnPort(port)?.message as Request | undefined;
    }
    if (calls.length > 0) port.postMessage(transact(calls) satisfies Reply);
    if (request === 'close') {
      close();
      port.close();
    }
  });
}

if (!parentPort) throw new Error('sqlite.worker has to run in a worker thread.');
let database: OpenDatabase | undefined;
let opening: Opening = { opened: true };
try {
  database = openDatabase(workerData as WorkerOptions);
} catch (error) {
  opening = { opened: false, problem: problemOf(error) };
}
if (database) serve(parentPort, database);
parentPort.postMessage(opening);

import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads';
import { openDatabase, type OpenDatabase } from './database.ts';
import { toProblem } from './problem.ts';
import type { Call, Opening, Outcome, Reply, Request, WorkerOptions } from './protocol.js';
import { transactionsOn } from './transactions.ts';

// The one thread that touches the database, so that neither a commit nor a long read ever holds up the event loop.

/** Serves until it is told to close. Without a listener left, the worker then ends by itself. */
function serve(port: MessagePort, { db, close }: OpenDatabase): void {
  const { transact, read } = transactionsOn(db);
  const reads: Call[] = [];
  let closing = false;

  const reply = (calls: readonly Call[], outcomes: readonly Outcome[]) =>
    port.postMessage(calls.map(({ id }, index) => ({ id, ...(outcomes[index] as Outcome) })) satisfies Reply);

  /** Collects the calls that have queued up during the last commit into one transaction: the slower the disk, the bigger. */
  const receive = (first: Request | undefined): Call[] => {
    const calls: Call[] = [];
    for (let request = first; request !== undefined; request = nextOn(port)) {
      if (request === 'close') closing = true;
      else {
        for (const call of request.calls) calls.push(call);
        for (const call of request.reads) reads.push(call);
      }
    }
    return calls;
  };

  port.on('message', (first: Request) => {
    let calls = receive(first);
    // One read at a time: whatever comes meanwhile is written, and answered, before the next.
    for (;;) {
      if (calls.length > 0) reply(calls, transact(calls));
      const call = reads.shift();
      if (!call) break;
      reply([call], [read(call)]);
      calls = receive(nextOn(port));
    }
    if (!closing) return;
    close();
    port.close();
  });
}

function nextOn(port: MessagePort): Request | undefined {
  return receiveMessageOnPort(port)?.message as Request | undefined;
}

if (!parentPort) throw new Error('sqlite.worker has to run in a worker thread.');
let database: OpenDatabase | undefined;
let opening: Opening = { opened: true };
try {
  database = openDatabase(workerData as WorkerOptions);
  opening = { opened: true, warning: database.warning };
} catch (error) {
  opening = { opened: false, problem: toProblem(error) };
}
if (database) serve(parentPort, database);
parentPort.postMessage(opening);

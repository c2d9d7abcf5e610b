// Runs as it is, types stripped, from the sources too: erasable TypeScript only, and imports with their real extension.
import { parentPort, type MessagePort } from 'node:worker_threads';
import type { WorkerMessage } from '../workers/worker-protocol.ts';
import type { Job, JobName, Jobs } from './compute-jobs.ts';

type Loaders = { readonly [Name in JobName]: () => Promise<Jobs[Name]> };

// Each is loaded when it is first asked for: mathjs alone is larger than all the rest.
const JOBS: Loaders = {
  calculate: async () => (await import('../library/calculator/expression.ts')).evaluateExpression,
  'html-text': async () => (await import('../library/http-fetch/html-text.ts')).htmlText,
  'fit-schema': async () => (await import('./fit-schema.ts')).fitSchema,
};

async function work(port: MessagePort, { name, input }: Job): Promise<void> {
  const say = (message: WorkerMessage): void => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
    port.postMessage(message);
  };
  try {
    const job = (await JOBS[name]()) as (input: unknown) => unknown;
    say('begun');
    say({ value: job(input) });
  } catch (error) {
    say({ fault: error instanceof Error ? error.message : String(error) });
  }
}

if (!parentPort) throw new Error('compute.worker has to run in a worker thread.');
const port = parentPort;
port.on('message', (job: Job) => void work(port, job));

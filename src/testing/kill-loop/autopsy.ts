import type { BaseMessage } from '@langchain/core/messages';
import { humanMessageId } from '../../agents/langgraph/thread.messages.js';
import type { RecordedEvent } from '../../events/recorded-event.js';
import { foldRun, textOf } from '../../events/run-view.js';
import type { Run } from '../../runs/run.js';
import type { Storage } from '../../storage/storage.js';
import { checkHistory } from '../history/history.checker.js';
import type { Anomaly } from '../history/history.js';
import type { WatchedRun } from './person.js';

/** What the storage says of the runs, held against what people saw. */
export interface Autopsy {
  readonly anomalies: readonly Anomaly[];
  /** What is wrong beside the histories: runs too many, runs lost, runs that did not end as they should. */
  readonly faults: readonly string[];
  readonly logs: readonly (readonly RecordedEvent[])[];
}

/** Looks at each run and each thread in a storage that nobody uses any more. */
export async function examine(storage: Storage, watched: readonly WatchedRun[]): Promise<Autopsy> {
  const anomalies: Anomaly[] = [];
  const faults: string[] = [];
  const logs: RecordedEvent[][] = [];
  for (const { runId, streams, cancelled } of watched) {
    const run = await storage.runs.get(runId);
    if (!run) {
      faults.push(`${runId} was acknowledged and is not there`);
      continue;
    }
    const outcomes = ['completed', 'awaiting-approval', ...(cancelled ? ['cancelled'] : [])];
    if (!outcomes.includes(run.status))
      faults.push(`${runId} is ${run.status} ${JSON.stringify(run.error ?? {})}`);
    const log = await readAll(storage, run);
    logs.push(log);
    const agentText = run.status === 'completed' ? await wordsOfRun(storage, run) : undefined;
    const readers = streams.map((stream) => stream.toReader());
    anomalies.push(...checkHistory({ runId, log, readers, ...(agentText !== undefined && { agentText }) }));
  }
  for (const [threadId, runs] of Map.groupBy(watched, (run) => run.threadId)) {
    const { items } = await storage.runs.listRuns(threadId, { limit: 100 });
    if (items.length !== runs.length)
      faults.push(`${threadId} has ${items.length} runs in place of ${runs.length}`);
  }
  return { anomalies, faults, logs };
}

async function readAll(storage: Storage, run: Run): Promise<RecordedEvent[]> {
  const log: RecordedEvent[] = [];
  for (;;) {
    const page = await storage.log.read(run.id, log.at(-1)?.seq ?? 0, 1_000);
    if (page.length === 0) return log;
    log.push(...page);
  }
}

/** What the agent itself remembers to have said in this run, and not in those that it continues. */
async function wordsOfRun(storage: Storage, run: Run): Promise<string> {
  let before = '';
  for (let of = run.resumeOf; of !== undefined;) {
    const earlier = await storage.runs.get(of);
    if (!earlier) break;
    before = textOf(foldRun(earlier.id, await readAll(storage, earlier))) + before;
    of = earlier.resumeOf;
  }
  const words = await wordsInMemory(storage, run.threadId, run.messageId);
  // What is not remembered as it was shown is an anomaly of this run.
  return words.startsWith(before) ? words.slice(before.length) : words;
}

/** What the agent itself remembers to have said since a person's message. */
async function wordsInMemory(storage: Storage, threadId: string, messageId: string): Promise<string> {
  const tuple = await storage.checkpointer.getTuple({ configurable: { thread_id: threadId } });
  const messages = (tuple?.checkpoint.channel_values['messages'] ?? []) as BaseMessage[];
  const start = messages.findIndex(({ id }) => id === humanMessageId(messageId));
  const later = start === -1 ? [] : messages.slice(start + 1);
  const next = later.findIndex((message) => message.type === 'human');
  return (next === -1 ? later : later.slice(0, next))
    .filter((message) => message.type === 'ai')
    .map(({ text }) => text)
    .join('');
}

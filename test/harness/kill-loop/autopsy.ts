import type { BaseMessage } from '@langchain/core/messages';
import { humanMessageId } from '../../../src/agents/langgraph/thread-messages.js';
import type { RecordedEvent } from '../../../src/events/recorded-event.js';
import { foldRun, getText } from '../../../src/events/run-view.js';
import type { Run } from '../../../src/runs/run.js';
import type { Storage } from '../../../src/storage/storage.js';
import { checkHistory } from '../../../src/testing/history/history-checker.js';
import type { Anomaly, Outage } from '../../../src/testing/history/history.js';
import type { WatchedRun } from './person.js';

/** The runs in the storage, compared with the views of people. */
export interface Autopsy {
  readonly anomalies: readonly Anomaly[];
  /** Failures beside the histories: runs too many, runs lost, runs with a wrong end. */
  readonly faults: readonly string[];
  readonly logs: readonly (readonly RecordedEvent[])[];
}

/** Looks at each run and each thread in a storage that nobody uses any more. */
export async function examine(
  storage: Storage,
  watched: readonly WatchedRun[],
  outages: readonly Outage[],
): Promise<Autopsy> {
  const anomalies: Anomaly[] = [];
  const faults: string[] = [];
  const logs: RecordedEvent[][] = [];
  for (const { runId, streams, cancelled, agent } of watched) {
    const run = await storage.runs.get(runId);
    if (!run) {
      faults.push(`${runId} was acknowledged and is not there`);
      continue;
    }
    const usual = ['completed', 'awaiting-input', ...(cancelled ? ['cancelled'] : [])];
    const isWell = agent === 'poison' ? run.error?.code === 'RUN_POISONED' : usual.includes(run.status);
    if (!isWell) faults.push(`${runId} is ${run.status} ${JSON.stringify(run.error ?? {})}`);
    const log = await readAll(storage, run);
    logs.push(log);
    const agentText = run.status === 'completed' ? await readRunText(storage, run) : undefined;
    const readers = streams.map((stream) => stream.toReader());
    anomalies.push(
      ...checkHistory({ runId, log, readers, outages, ...(agentText !== undefined && { agentText }) }),
    );
  }
  for (const [threadId, runs] of Map.groupBy(watched, (run) => run.threadId)) {
    const [first] = runs;
    const owner = first && (await storage.runs.get(first.runId))?.principal;
    const { items } = owner ? await storage.runs.listRuns(owner, threadId, { limit: 100 }) : { items: [] };
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

/** Reads the agent's own memory of this run's text, without the runs that it continues. */
async function readRunText(storage: Storage, run: Run): Promise<string> {
  let before = '';
  for (let of = run.resumeOf; of !== undefined;) {
    const earlier = await storage.runs.get(of);
    if (!earlier) break;
    before = getText(foldRun(earlier.id, await readAll(storage, earlier))) + before;
    of = earlier.resumeOf;
  }
  const words = await readMemoryText(storage, run.threadKey, run.messageId);
  // What is not remembered as it was shown is an anomaly of this run.
  return words.startsWith(before) ? words.slice(before.length) : words;
}

/** Reads the agent's own memory of its text since a person's message. */
async function readMemoryText(storage: Storage, threadKey: string, messageId: string): Promise<string> {
  const tuple = await storage.checkpointer.getTuple({ configurable: { thread_id: threadKey } });
  const messages = (tuple?.checkpoint.channel_values['messages'] ?? []) as BaseMessage[];
  const start = messages.findIndex(({ id }) => id === humanMessageId(messageId));
  const later = start === -1 ? [] : messages.slice(start + 1);
  const next = later.findIndex((message) => message.type === 'human');
  return (next === -1 ? later : later.slice(0, next))
    .filter((message) => message.type === 'ai')
    .map(({ text }) => text)
    .join('');
}

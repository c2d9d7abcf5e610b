import type { RecordedEvent } from '../../../src/events/recorded-event.js';
import { foldRun, listTexts } from '../../../src/events/run-view.js';
import type { Run } from '../../../src/runs/run.js';
import type { Storage } from '../../../src/storage/storage.js';
import { checkHistory } from '../../../src/testing/history/history-checker.js';
import type { Anomaly, Outage } from '../../../src/testing/history/history.js';
import { readMemory, type Memory } from './memory.js';
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
  for (const { runId, threadId, streams, cancelled, agent } of watched) {
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
    const isLast = watched.findLast((other) => other.threadId === threadId)?.runId === runId;
    const memory = run.status === 'completed' ? await readMemory(storage, run, agent) : undefined;
    const agentMessages = memory && (await toRunMessages(storage, { run, memory, isLast }));
    const readers = streams.map((stream) => stream.toReader());
    anomalies.push(
      ...checkHistory({ runId, log, readers, outages, ...(agentMessages && { agentMessages }) }),
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

/** Returns the messages of this run among those of its answer. Undefined where the agent has forgotten them since. */
async function toRunMessages(
  storage: Storage,
  {
    run,
    memory: { messages, forgets },
    isLast,
  }: {
    readonly run: Run;
    readonly memory: Memory;
    readonly isLast: boolean;
  },
): Promise<readonly string[] | undefined> {
  if (forgets) return isLast ? messages : undefined;
  const before: string[] = [];
  for (let of = run.resumeOf; of !== undefined;) {
    const earlier = await storage.runs.get(of);
    if (!earlier) break;
    before.unshift(...readTexts(await readAll(storage, earlier)));
    of = earlier.resumeOf;
  }
  // What is not remembered as it was shown is an anomaly of this run.
  return before.every((text, index) => text === messages[index]) ? messages.slice(before.length) : messages;
}

function readTexts(log: readonly RecordedEvent[]): readonly string[] {
  return listTexts(foldRun('run', log)).filter((text) => text !== '');
}

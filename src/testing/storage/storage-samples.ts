import type { RequestedApproval, RequestedInput } from '../../events/requested-input.js';
import type { RecordedEvent } from '../../events/recorded-event.js';
import type { RunEvent, Usage } from '../../events/run-event.js';
import type { AppendBatch } from '../../runs/event-log.js';
import type { Run } from '../../runs/run.js';
import type { NewRun, RunOwnership } from '../../runs/run.store.js';
import type { Storage } from '../../storage/storage.js';

// What the promises are stated with: small, valid, and different wherever a mix-up should show.

export const LEASE_MS = 4_000;

/** An owner that begins runs at once. */
export const OWNER = { ownerId: 'owner', leaseMs: LEASE_MS };

export const USAGE: Usage = { inputTokens: 3, outputTokens: 5, totalTokens: 8 };

export const ALICE = { userId: 'alice', tenant: 'acme', roles: ['analyst'] };
/** The same name at another tenant. */
export const OTHER_ALICE = { userId: 'alice', tenant: 'globex', roles: [] };
export const BOB = { userId: 'bob', tenant: 'acme', roles: [] };

export function newRun(id: string, differences: Partial<NewRun> = {}): NewRun {
  return {
    id,
    threadId: `thread-of-${id}`,
    thread: 'any',
    agent: 'assistant',
    principal: ALICE,
    message: `What is ${id}?`,
    metadata: { from: id },
    messageId: `message-of-${id}`,
    whenBusy: 'reject',
    whenAwaiting: 'deny',
    ...differences,
  };
}

/** Creates a run that its owner has from the start. */
export async function begunRun(
  storage: Storage,
  id: string,
  differences: Partial<NewRun> = {},
): Promise<Run> {
  const created = await storage.runs.create(newRun(id, { owner: OWNER, ...differences }));
  if (created.outcome !== 'created') throw new Error(`Run ${id} was not created: ${created.outcome}.`);
  return created.run;
}

/** Creates a run and claims it. With another claimable run around, make and claim it step by step instead. */
export async function ownedRun(
  storage: Storage,
  id: string,
  differences: Partial<NewRun> = {},
): Promise<Run> {
  const created = await storage.runs.create(newRun(id, differences));
  if (created.outcome !== 'created') throw new Error(`Run ${id} was not created: ${created.outcome}.`);
  const run = await claimRun(storage);
  if (run?.id !== id) throw new Error(`Instead of ${id}, the claim gave ${run?.id ?? 'nothing'}.`);
  return run;
}

export function claimRun(storage: Storage, ownerId = 'owner'): Promise<Run | undefined> {
  return storage.runs.claim({ ownerId, leaseMs: LEASE_MS });
}

/** As {@link claimRun}, where there has to be one. */
export async function claimedRun(storage: Storage, ownerId?: string): Promise<Run> {
  const run = await claimRun(storage, ownerId);
  if (!run) throw new Error('No run could be claimed.');
  return run;
}

/** Its owner, as this run knows it. */
export function toOwnership({ id, epoch }: Pick<Run, 'id' | 'epoch'>): RunOwnership {
  return { runId: id, epoch };
}

type OwnedRun = Pick<Run, 'id' | 'threadId' | 'epoch'>;

/** So many deltas after that seq, by the run's owner. Each says its own seq. */
export function toBatch(run: OwnedRun, afterSeq: number, count = 1): AppendBatch {
  const seqs = Array.from({ length: count }, (_, index) => afterSeq + 1 + index);
  const events = seqs.map((seq) =>
    recorded(run, seq, { type: 'text-delta', partId: 'p1', delta: `word ${seq} ` }),
  );
  return { runId: run.id, epoch: run.epoch, afterSeq, events };
}

/** The batch that closes a run. */
export function toEnding(
  run: OwnedRun,
  afterSeq: number,
  outcome: 'completed' | 'failed' = 'completed',
): AppendBatch {
  const error = { code: 'RUN_FAILED', message: 'No table.', retryable: true, name: 'QueryError' };
  const failure = outcome === 'failed' ? { error } : {};
  const end: RunEvent = { type: 'end', outcome, usage: USAGE, durationMs: 12, ...failure };
  return {
    runId: run.id,
    epoch: run.epoch,
    afterSeq,
    events: [recorded(run, afterSeq + 1, end)],
    ending: { outcome, usage: USAGE, ...failure },
  };
}

/** A call that waits for a person; its id says which. */
export function approval(inputId: string, expiresAt?: number): RequestedApproval {
  return {
    inputId,
    kind: 'approval',
    toolCallId: `call-of-${inputId}`,
    toolName: 'order',
    stepId: `step-of-${inputId}`,
    label: 'Ordering…',
    input: { item: inputId },
    ...(expiresAt !== undefined && { expiresAt }),
  };
}

/** Makes a run that has stopped for these calls. */
export async function awaitingRun(
  storage: Storage,
  id: string,
  inputs: readonly RequestedInput[],
  differences: Partial<NewRun> = {},
): Promise<Run> {
  const run = await ownedRun(storage, id, differences);
  await stopRun(storage, run, inputs);
  return run;
}

/** Stops a run for these calls. Its log has `lastSeq` events. */
export async function stopRun(
  storage: Storage,
  run: OwnedRun,
  inputs: readonly RequestedInput[],
  lastSeq = 0,
): Promise<void> {
  const outcome = 'awaiting-input';
  const end: RunEvent = { type: 'end', outcome, usage: USAGE, durationMs: 12 };
  const { id, epoch } = run;
  const events = [recorded(run, lastSeq + 1, end)];
  const ending = { outcome, usage: USAGE, inputs } as const;
  const [result] = await storage.log.append([{ runId: id, epoch, afterSeq: lastSeq, events, ending }]);
  if (result !== 'appended') throw new Error(`Run ${id} could not be ended.`);
}

/** Ends a run whose log has `lastSeq` events. */
export async function endRun(storage: Storage, run: OwnedRun, lastSeq = 0): Promise<void> {
  const [result] = await storage.log.append([toEnding(run, lastSeq)]);
  if (result !== 'appended') throw new Error(`Run ${run.id} could not be ended.`);
}

export function recorded({ id, threadId, epoch }: OwnedRun, seq: number, event: RunEvent): RecordedEvent {
  return { runId: id, threadId, seq, epoch, at: 1_800_000_000_000 + seq, event };
}

// Fills a storage by its ports, in batches of many runs, as fast as it takes them: no agent runs.
//
//   const runs = await fill(storage, { runs, events, prefix?, perBatch? })   ended runs of so many events each, every one in a thread of
//                                                                   its own: [{ id, threadId, epoch, lastSeq }]
//   newRun(id)             a run that nobody has asked for yet
//   toBatch(run, events)   the next batch of a claimed run { id, threadId, epoch, seq }, whose seq moves on
//   ended(run)             the batch that ends it
const ENDING = { outcome: 'completed', usage: { inputTokens: 0, outputTokens: 0, totalTokens: 0 } };
const LEASE_MS = 600_000;
/** Runs that are filled at a time. */
const AT_ONCE = 100;

/** A word of which no two are joined, and the mark that readers count. */
const WORD = { type: 'text-delta', partId: 'p1', delta: '^word word word word word' };

export async function fill(storage, { runs: count, events, prefix = 'filled', perBatch = 64 }) {
  const filled = [];
  while (filled.length < count) {
    const some = Math.min(AT_ONCE, count - filled.length);
    const runs = await claimed(storage, some, `${prefix}-${filled.length}`);
    for (let left = events - 1; left > 0; left -= perBatch) {
      const words = Array.from({ length: Math.min(left, perBatch) }, () => WORD);
      await append(
        storage,
        runs.map((run) => toBatch(run, words)),
      );
    }
    await append(storage, runs.map(ended));
    filled.push(...runs.map(({ id, threadId, epoch, seq }) => ({ id, threadId, epoch, lastSeq: seq })));
  }
  return filled;
}

export function newRun(id) {
  return {
    id,
    threadId: `thread-of-${id}`,
    thread: 'any',
    agent: 'bench',
    // Who asks a server without authentication.
    principal: { userId: 'local', tenant: 'local', roles: [] },
    message: 'Fill.',
    metadata: {},
    messageId: `message-of-${id}`,
    whenBusy: 'reject',
    whenAwaiting: 'reject',
  };
}

async function claimed(storage, count, prefix) {
  const created = await Promise.all(
    Array.from({ length: count }, (_, index) => storage.runs.create(newRun(`${prefix}-${index}`))),
  );
  const claims = await Promise.all(
    created.map(() => storage.runs.claim({ ownerId: 'bench', leaseMs: LEASE_MS })),
  );
  return claims.map(({ id, threadId, epoch }) => ({ id, threadId, epoch, seq: 0 }));
}

export function toBatch(run, events) {
  const { id: runId, threadId, epoch, seq: afterSeq } = run;
  const at = Date.now();
  const recorded = events.map((event) => ({ runId, threadId, epoch, seq: (run.seq += 1), at, event }));
  return { runId, epoch, afterSeq, events: recorded };
}

export function ended(run) {
  return { ...toBatch(run, [{ type: 'end', ...ENDING, durationMs: 1 }]), ending: ENDING };
}

async function append(storage, batches) {
  const results = await storage.log.append(batches);
  if (results.some((result) => result !== 'appended')) throw new Error('A batch was refused.');
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { foldRun } from '../../events/run-view.js';
import { approval, awaitingRun, newRun } from '../../testing/storage/storage-samples.js';
import { SqliteStorage } from './sqlite.storage.js';

const ASKED = approval('a');
const CALL = `"toolCallId":"call-of-a","toolName":"order","stepId":"step-of-a","label":"Ordering…","input":{"item":"a"}`;

/** As the version before wrote them, which knew approvals only. */
const FRAMES = [
  `[1,{"type":"run-start","agent":"assistant","messageId":"m1"}]`,
  `[2,{"type":"approval-request","approvalId":"a",${CALL}}]`,
  `[3,{"type":"end","outcome":"awaiting-approval","usage":{"inputTokens":0,"outputTokens":0,"totalTokens":0},"durationMs":1}]`,
].join('\n');

describe('a run stored by an earlier version while it waited for an approval', () => {
  let directory: string;
  let storage: SqliteStorage;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'agent-stream-'));
    storage = new SqliteStorage({ directory });
    await storage.open();
    await awaitingRun(storage, 'r1', [ASKED]);
    await storage.close();
    const db = new DatabaseSync(join(directory, 'agent-stream.db'));
    db.prepare("UPDATE runs SET status = 'awaiting-approval', approvals = ? WHERE id = 'r1'").run(
      `[{"approvalId":"a",${CALL}}]`,
    );
    db.prepare('UPDATE batches SET frames = ?, last_seq = 3').run(FRAMES);
    db.close();
    storage = new SqliteStorage({ directory });
    await storage.open();
  });
  afterEach(async () => {
    await storage.close();
    await rm(directory, { recursive: true });
  });

  it('reads an approval of an earlier version as an input of the kind approval', async () => {
    expect(await storage.runs.get('r1')).toMatchObject({ status: 'awaiting-input', inputs: [ASKED] });
    const log = await storage.log.read('r1', 0, 10);
    expect(log.map(({ event }) => event.type)).toEqual(['run-start', 'input-request', 'end']);
    expect(foldRun('r1', log)).toMatchObject({ status: 'awaiting-input', parts: [ASKED] });
  });

  it('takes a decision on an approval of an earlier version and continues the run', async () => {
    const run = (await storage.runs.get('r1'))!;
    const continuation = newRun('next', {
      threadId: run.threadId,
      thread: 'existing',
      resumeOf: 'r1',
      whenBusy: 'queue',
    });
    const answers = { a: { decision: 'approve', by: 'ann', at: 5 } } as const;
    expect(await storage.runs.decide({ runId: 'r1', answers, continuation })).toMatchObject({
      outcome: 'answered',
      run: { inputs: [{ ...ASKED, answer: { decision: 'approve' } }] },
      continuedBy: { id: 'next' },
    });
  });

  it("refuses a start with whenAwaiting set to reject while an earlier version's approval waits", async () => {
    const { threadId } = (await storage.runs.get('r1'))!;
    const start = newRun('r2', { threadId, thread: 'existing', whenAwaiting: 'reject' });
    expect(await storage.runs.create(start)).toEqual({ outcome: 'awaiting', runId: 'r1' });
  });
});

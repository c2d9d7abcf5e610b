import { describe, expect, it } from '@jest/globals';
import { admitRun, compareStarts, recognizeAttempt, type FoundThread } from './admission.js';
import type { NewRun } from './run.store.js';

type Start = Parameters<typeof admitRun>[0];

const START: Start = { id: 'r2', threadId: 't1', thread: 'any', whenBusy: 'reject', whenAwaiting: 'reject' };
const IDLE: FoundThread = { key: 'k1', latest: { id: 'r1', status: 'completed' } };
const BUSY: FoundThread = { key: 'k1', unended: 'r0', latest: { id: 'r1', status: 'pending' } };
const AWAITING: FoundThread = { key: 'k1', latest: { id: 'r1', status: 'awaiting-input' } };

describe('admitRun', () => {
  it.each<[NewRun['thread'], string]>([
    ['new', 't1'],
    ['any', 'r2'],
  ])('lets a run with thread %s create a missing thread under the key %s', (thread, threadKey) => {
    expect(admitRun({ ...START, thread }, undefined)).toEqual({
      outcome: 'admitted',
      threadKey,
      isNewThread: true,
      mustWait: false,
      isFork: false,
    });
  });

  it.each<[Start['parentId'], Start['parentId'], boolean]>([
    [undefined, 'r1', false],
    ['r1', 'r1', false],
    ['r0', 'r0', true],
    [null, null, true],
  ])('places a run that is asked after %s after %s', (asked, parentId, isFork) => {
    const start = { ...START, ...(asked !== undefined && { parentId: asked }) };
    expect(admitRun(start, IDLE)).toMatchObject({ parentId, isFork });
  });

  it('places a run that takes the place of an unended one where that one was asked', () => {
    const start: Start = { ...START, whenBusy: 'rollback' };
    const place = { mustWait: true, parentId: 'before', fromCheckpoint: 'c1', isFork: true };
    expect(admitRun(start, { ...BUSY, turn: { parentId: 'before', fromCheckpoint: 'c1' } })).toMatchObject(
      place,
    );
    expect(admitRun(start, { ...BUSY, turn: { parentId: null } })).toMatchObject({ parentId: null });
    expect(admitRun({ ...start, parentId: 'r1' }, BUSY)).toMatchObject({ parentId: 'r1', isFork: false });
    expect(admitRun(start, IDLE)).toMatchObject({ mustWait: false, parentId: 'r1', isFork: false });
  });

  it('refuses a run whose thread must exist and does not', () => {
    expect(admitRun({ ...START, thread: 'existing' }, undefined)).toEqual({ outcome: 'no-thread' });
  });

  it('admits a run to a thread whose runs have ended', () => {
    expect(admitRun(START, IDLE)).toMatchObject({ threadKey: 'k1', isNewThread: false, mustWait: false });
  });

  it('refuses a run in a busy thread and names the run before it', () => {
    expect(admitRun(START, BUSY)).toEqual({ outcome: 'busy', runId: 'r0' });
  });

  it('lets a run wait in a busy thread when whenBusy is queue', () => {
    expect(admitRun({ ...START, whenBusy: 'queue' }, BUSY)).toMatchObject({
      outcome: 'admitted',
      mustWait: true,
    });
  });

  it('refuses a run in a thread that waits for approvals and names the run that asked', () => {
    expect(admitRun(START, AWAITING)).toEqual({ outcome: 'awaiting', runId: 'r1' });
  });

  it('lets approvals lapse for a new run when whenAwaiting is deny', () => {
    expect(admitRun({ ...START, whenAwaiting: 'deny' }, AWAITING)).toMatchObject({
      outcome: 'admitted',
      lapsed: 'r1',
      mustWait: false,
    });
  });

  it('names the busy run when a thread is busy and also waits for approvals', () => {
    expect(admitRun(START, { ...AWAITING, unended: 'r0' })).toEqual({ outcome: 'busy', runId: 'r0' });
  });
});

describe('compareStarts', () => {
  it('finds an earlier start by the same fingerprint and refuses the key with another one', () => {
    expect(compareStarts({ fingerprint: 'a' }, 'a')).toBe('existing');
    expect(compareStarts({ fingerprint: 'a' }, 'b')).toBe('key-reused');
    expect(compareStarts({ fingerprint: null }, 'b')).toBe('key-reused');
  });
});

describe('recognizeAttempt', () => {
  it.each([
    [0, 7, 'waiting'],
    [7, 7, 'owned'],
    [9, 7, 'taken'],
    [9, undefined, 'taken'],
  ])('recognizes a run of epoch %s, for a caller of epoch %s, as %s', (epoch, own, expected) => {
    expect(recognizeAttempt({ epoch }, own)).toBe(expected);
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { recordedAll } from '../../src/runs/run.testing.js';
import { checkEffects, checkSteps, SideEffectLedger, type SideEffect } from './side-effect-ledger.js';

const paid: SideEffect = {
  tool: 'pay',
  runId: 'r',
  toolCallId: 'c',
  idempotencyKey: 'r:s:c',
  phase: 'begun',
  at: 1_000,
};
const ONCE = new Set(['pay']);

describe('SideEffectLedger', () => {
  it('returns the effects that another instance wrote to the same file', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'ledger-'));
    const file = join(directory, 'effects');
    expect(new SideEffectLedger(file).read()).toEqual([]);
    new SideEffectLedger(file).write(paid);
    new SideEffectLedger(file).write({ ...paid, phase: 'done' });
    const at = expect.any(Number);
    expect(new SideEffectLedger(file).read()).toEqual([
      { ...paid, at },
      { ...paid, at, phase: 'done' },
    ]);
    await rm(directory, { recursive: true });
  });
});

describe('checkEffects', () => {
  it('accepts a single call, and repeated calls of a tool that honours its idempotency key', () => {
    expect(checkEffects([paid, { ...paid, phase: 'done' }], ONCE)).toEqual([]);
    expect(checkEffects([paid, paid], new Set())).toEqual([]);
  });

  it('reports a call that was made twice although its tool must run once', () => {
    expect(checkEffects([paid, paid], ONCE)).toEqual(['pay r:c was done 2 times']);
  });

  it('reports a call whose attempts had different idempotency keys', () => {
    expect(checkEffects([paid, { ...paid, idempotencyKey: 'other' }], new Set())).toEqual([
      'pay r:c came with 2 keys',
    ]);
  });
});

describe('checkSteps', () => {
  /** Over at 1,001 ms. */
  const log = recordedAll([
    { type: 'run-start', agent: 'a', messageId: 'm' },
    { type: 'step-end', stepId: 's', name: 'pay', attempt: 1 },
  ]);
  const acted = (at: number, toolCallId = 'm-user') => ({ ...paid, toolCallId, at });

  it('accepts a step that was repeated before it was over, and the same step of another question', () => {
    expect(checkSteps([acted(999), acted(1_000), acted(1_002, 'other-user')], [log], 'pay')).toEqual([]);
  });

  it('reports a step that was done again after it was over', () => {
    expect(checkSteps([acted(1_000), acted(1_002)], [log], 'pay')).toHaveLength(1);
  });
});

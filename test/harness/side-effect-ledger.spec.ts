import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { checkEffects, SideEffectLedger, type SideEffect } from './side-effect-ledger.js';

const paid: SideEffect = {
  tool: 'pay',
  runId: 'r',
  toolCallId: 'c',
  idempotencyKey: 'r:s:c',
  phase: 'begun',
};
const ONCE = new Set(['pay']);

describe('SideEffectLedger', () => {
  it('returns the effects that another instance wrote to the same file', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'ledger-'));
    const file = join(directory, 'effects');
    expect(new SideEffectLedger(file).read()).toEqual([]);
    new SideEffectLedger(file).write(paid);
    new SideEffectLedger(file).write({ ...paid, phase: 'done' });
    expect(new SideEffectLedger(file).read()).toEqual([paid, { ...paid, phase: 'done' }]);
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

import { describe, expect, it } from '@jest/globals';
import { MemorySharedState } from '../storage/memory/memory-shared-state.js';
import { StoredSigningKeys } from './stored-signing-keys.js';

const DAY = 86_400_000;
const HOUR = 3_600_000;
const tokenTtlMs = 8 * HOUR;

function instances() {
  const clock = { now: Date.UTC(2030, 0, 1) };
  const state = new MemorySharedState();
  const instance = () => new StoredSigningKeys(state, { tokenTtlMs, now: () => clock.now });
  return { clock, state, one: instance(), other: instance() };
}

describe('StoredSigningKeys', () => {
  it('gives all instances the same signing key, even if they first ask at once', async () => {
    const { one, other, state } = instances();
    const keys = await Promise.all([one.current(), other.current(), one.current()]);
    expect(new Set(keys.map(({ id }) => id)).size).toBe(1);
    expect(await state.list('signing-key/')).toHaveLength(1);
    expect(keys[0]?.forPurpose('session')).toEqual(keys[1]?.forPurpose('session'));
    expect(keys[0]?.forPurpose('session')).not.toEqual(keys[0]?.forPurpose('stream-ticket'));
  });

  it('adds a new signing key every 30 days and uses it once every instance has read it', async () => {
    const { one, other, clock } = instances();
    const first = await one.current();
    clock.now += 30 * DAY - 1;
    expect((await one.current()).id).toBe(first.id);
    clock.now += 1;
    // Made now, and not used yet: the other instance may still have the old list.
    expect((await one.current()).id).toBe(first.id);
    clock.now += 10_000;
    const second = await one.current();
    expect(second.id).not.toBe(first.id);
    expect((await other.find(second.id))?.id).toBe(second.id);
    expect((await other.current()).id).toBe(second.id);
  });

  it('keeps a signing key as long as tokens signed with it live, then removes it', async () => {
    const { one, other, clock, state } = instances();
    const first = await one.current();
    clock.now += 30 * DAY;
    await one.current();
    clock.now += tokenTtlMs + 10_000;
    expect(await other.find(first.id)).toBeDefined();
    clock.now += 2 * HOUR;
    await other.find(first.id);
    expect(await state.list('signing-key/')).toHaveLength(1);
    expect(await other.find(first.id)).toBeUndefined();
  });

  it('finds a new signing key of another instance, without a read of the storage for every unknown id', async () => {
    const { one, other, clock, state } = instances();
    let reads = 0;
    const list = state.list.bind(state);
    state.list = (prefix) => {
      reads += 1;
      return list(prefix);
    };
    await other.find('made up');
    const key = await one.current();
    clock.now += 1_000;
    expect(await other.find(key.id)).toBeDefined();
    reads = 0;
    for (let index = 0; index < 1_000; index += 1) await other.find(`made up ${index}`);
    expect(reads).toBeLessThanOrEqual(1);
  });

  it('replaces all signing keys when told to forget them, on other instances within seconds', async () => {
    const { one, other, clock } = instances();
    const first = await other.current();
    await one.forgetAll();
    expect(await one.find(first.id)).toBeUndefined();
    clock.now += 3_000;
    expect(await other.find(first.id)).toBeUndefined();
    expect((await other.current()).id).toBe((await one.current()).id);
  });
});

import { describe, expect, it } from '@jest/globals';
import { firstValueFrom } from 'rxjs';
import { MemorySharedState } from '../storage/memory/memory-shared-state.js';
import { CHECK_MS, SessionEndings } from './session-endings.service.js';

const tokenTtlMs = 8 * 3_600_000;
const ann = { userId: 'ann', tenant: 'acme' };

function instances() {
  const clock = { now: Date.UTC(2030, 0, 1) };
  const state = new MemorySharedState();
  const instance = () => new SessionEndings(state, { tokenTtlMs, now: () => clock.now, checkMs: CHECK_MS });
  return { clock, state, one: instance(), other: instance() };
}

describe('SessionEndings', () => {
  it('ends a session here at once, and on other instances after the check interval', async () => {
    const { one, other, clock } = instances();
    const session = { principal: ann, sessionId: 's1' };
    expect(await other.hasEnded(session)).toBe(false);
    await one.endSession(session, clock.now + tokenTtlMs);
    expect(await one.hasEnded(session)).toBe(true);
    expect(CHECK_MS).toBeLessThanOrEqual(5_000);
    clock.now += CHECK_MS;
    expect(await other.hasEnded(session)).toBe(true);
    expect(await other.hasEnded({ principal: ann, sessionId: 's2' })).toBe(false);
  });

  it('ends only earlier sessions of a user, even when the clocks of instances differ', async () => {
    const { one, other, clock } = instances();
    const before = { principal: ann, sessionId: 's1', marks: await one.listMarks(ann) };
    await one.endAll(ann);
    clock.now -= 60_000;
    const after = { principal: ann, sessionId: 's2', marks: await other.listMarks(ann) };
    for (const instance of [one, other]) {
      expect(await instance.hasEnded(before)).toBe(true);
      expect(await instance.hasEnded(after)).toBe(false);
      expect(await instance.hasEnded({ principal: { ...ann, tenant: 'other' }, marks: [] })).toBe(false);
    }
  });

  it('ends the sessions of all users and accepts new ones', async () => {
    const { one } = instances();
    await one.endForEveryone();
    expect(await one.hasEnded({ principal: ann, marks: [] })).toBe(true);
    const after = { principal: ann, marks: await one.listMarks(ann) };
    expect(await one.hasEnded(after)).toBe(false);
    await one.endAll(ann);
    expect(await one.hasEnded(after)).toBe(true);
    expect(await one.hasEnded({ principal: ann, marks: await one.listMarks(ann) })).toBe(false);
  });

  it('notifies the streams of a session when it ends', async () => {
    const { one, clock } = instances();
    const session = { principal: ann, sessionId: 's1' };
    const ended = firstValueFrom(one.whenEnded(session));
    await one.endSession({ principal: ann, sessionId: 's2' }, clock.now);
    await one.endSession(session, clock.now);
    await ended;
  });

  it('removes expired endings from storage, even on an instance that ends no session', async () => {
    const { one, other, clock, state } = instances();
    await one.endSession({ principal: ann, sessionId: 's1' }, clock.now + 1_000);
    await one.endAll({ ...ann, userId: 'bob' });
    await one.endForEveryone();
    expect(await state.list('session-end/')).toHaveLength(3);
    clock.now += 3 * tokenTtlMs + 24 * 3_600_000;
    await other.hasEnded({ principal: ann });
    expect(await state.list('session-end/')).toEqual([]);
  });

  it('ends all sessions of a user when that user has too many endings to store', async () => {
    const { one, clock, state } = instances();
    for (let index = 0; index < 250; index += 1)
      await one.endSession(
        { principal: ann, sessionId: `s${index}`, marks: await one.listMarks(ann) },
        clock.now + 1_000,
      );
    expect((await state.list('session-end/')).length).toBeLessThanOrEqual(101);
    expect(await one.hasEnded({ principal: ann, sessionId: 's0', marks: [] })).toBe(true);
    expect(await one.hasEnded({ principal: ann, sessionId: 'new', marks: await one.listMarks(ann) })).toBe(
      false,
    );
  });
});

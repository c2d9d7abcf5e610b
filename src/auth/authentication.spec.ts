import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { NEVER } from 'rxjs';
import { attachAuthentication, authOf, untilExpiry, type Authentication } from './authentication.js';

const local: Authentication = { principal: { userId: 'local', tenant: 'local', roles: [] }, via: 'local' };

describe('who asks', () => {
  it('is what the guard attached, and nobody where no guard was', () => {
    const request = {};
    expect(() => authOf(request)).toThrow('AuthGuard');
    attachAuthentication(request, local);
    expect(authOf(request)).toBe(local);
    expect(Object.keys(request)).toEqual([]);
  });
});

describe('the end of the credentials', () => {
  beforeEach(() => {
    jest.useFakeTimers({ now: 1_000_000 });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  function watch(expiresAt: number | undefined) {
    const seen = { ended: false };
    const subscription = NEVER.pipe(untilExpiry({ ...local, expiresAt })).subscribe({
      complete: () => (seen.ended = true),
    });
    return { seen, subscription };
  }

  it('ends the stream when it comes', () => {
    const { seen } = watch(1_060_000);
    jest.advanceTimersByTime(59_999);
    expect(seen.ended).toBe(false);
    jest.advanceTimersByTime(1);
    expect(seen.ended).toBe(true);
  });

  it('ends it at once when it has passed already', () => {
    const { seen } = watch(999_999);
    jest.advanceTimersByTime(0);
    expect(seen.ended).toBe(true);
  });

  it.each([undefined, 1_000_000 + 365 * 86_400_000])(
    'neither ends it nor is waited for when it is %p',
    (expiresAt) => {
      const { seen } = watch(expiresAt);
      expect(jest.getTimerCount()).toBe(0);
      expect(seen.ended).toBe(false);
    },
  );

  it('is not waited for once nobody listens', () => {
    const { subscription } = watch(1_060_000);
    expect(jest.getTimerCount()).toBe(1);
    subscription.unsubscribe();
    expect(jest.getTimerCount()).toBe(0);
  });
});

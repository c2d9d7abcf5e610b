import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { NEVER } from 'rxjs';
import {
  attachAuthentication,
  getAuthentication,
  untilExpiry,
  type Authentication,
} from './authentication.js';

const local: Authentication = {
  principal: { userId: 'local', tenant: 'local', roles: [] },
  via: 'local',
  source: 'local',
};

describe('getAuthentication', () => {
  it('returns the authentication that the guard attached, and throws without one', () => {
    const request = {};
    expect(() => getAuthentication(request)).toThrow('AuthGuard');
    attachAuthentication(request, local);
    expect(getAuthentication(request)).toBe(local);
    expect(Object.keys(request)).toEqual([]);
  });
});

describe('untilExpiry', () => {
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

  it('completes a stream when its credentials expire', () => {
    const { seen } = watch(1_060_000);
    jest.advanceTimersByTime(59_999);
    expect(seen.ended).toBe(false);
    jest.advanceTimersByTime(1);
    expect(seen.ended).toBe(true);
  });

  it('completes a stream at once when its credentials have already expired', () => {
    const { seen } = watch(999_999);
    jest.advanceTimersByTime(0);
    expect(seen.ended).toBe(true);
  });

  it.each([undefined, 1_000_000 + 365 * 86_400_000])(
    'sets no timer and keeps a stream open when its credentials expire at %p',
    (expiresAt) => {
      const { seen } = watch(expiresAt);
      expect(jest.getTimerCount()).toBe(0);
      expect(seen.ended).toBe(false);
    },
  );

  it('clears the timer of the expiry when a stream is unsubscribed', () => {
    const { subscription } = watch(1_060_000);
    expect(jest.getTimerCount()).toBe(1);
    subscription.unsubscribe();
    expect(jest.getTimerCount()).toBe(0);
  });
});

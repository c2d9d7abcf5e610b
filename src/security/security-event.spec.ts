import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { addressBlock, callerAddress } from './caller-address.js';
import { EventLimiter } from './event-limiter.js';
import { SECURITY_EVENTS } from './security-event.js';

describe('SECURITY_EVENTS', () => {
  it('lists the same event types as docs/production/security-events.md', () => {
    const page = fileURLToPath(new URL('../../docs/production/security-events.md', import.meta.url));
    const [table = ''] = readFileSync(page, 'utf8').split('\nEvery line has');
    const types = [...table.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, type]) => type);
    expect(types).toEqual(Object.keys(SECURITY_EVENTS));
  });
});

describe('EventLimiter', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('limits security events per type and caller, and reports each minute how many were suppressed', () => {
    const summaries: [string, number][] = [];
    const limiter = new EventLimiter((type, suppressed) => summaries.push([type, suppressed]));
    const admitted = (caller: string, count: number) =>
      Array.from({ length: count }, () => limiter.admit('access-refused', caller)).filter(Boolean).length;
    expect(admitted('10.0.0.1', 50)).toBe(20);
    expect(admitted('10.0.0.2', 10)).toBe(10);
    expect(limiter.admit('sign-in', '10.0.0.1')).toBe(true);
    jest.advanceTimersByTime(60_000);
    expect(summaries).toEqual([['access-refused', 30]]);
    expect(admitted('10.0.0.1', 50)).toBe(20);
    jest.advanceTimersByTime(60_000);
    expect(summaries).toHaveLength(2);
    jest.advanceTimersByTime(600_000);
    expect(summaries).toHaveLength(2);
  });

  it('limits security events of all callers together, for any number of callers', () => {
    const summaries: number[] = [];
    const limiter = new EventLimiter((_, suppressed) => summaries.push(suppressed));
    for (let index = 0; index < 5_000; index += 1) limiter.admit('credentials-refused', `caller ${index}`);
    jest.advanceTimersByTime(60_000);
    expect(summaries).toEqual([4_400]);
  });
});

describe('callerAddress and addressBlock', () => {
  it("takes the framework's address of a caller before the socket's, and IPv4 in its own form", () => {
    expect(callerAddress({ ip: '203.0.113.7', socket: { remoteAddress: '10.0.0.1' } })).toBe('203.0.113.7');
    expect(callerAddress({ socket: { remoteAddress: '::ffff:10.0.0.1' } })).toBe('10.0.0.1');
    expect(callerAddress({})).toBeUndefined();
  });

  it('groups IPv6 addresses by networks of 64 bits', () => {
    expect(addressBlock('2001:db8:1:2:3:4:5:6')).toBe(addressBlock('2001:db8:1:2::9'));
    expect(addressBlock('2001:db8:1:2::9')).not.toBe(addressBlock('2001:db8:1:3::9'));
    expect(addressBlock('10.0.0.1')).toBe('10.0.0.1');
  });
});

import { describe, expect, it } from '@jest/globals';
import { ClockTool, timeIn } from './clock.tool.js';

describe('timeIn', () => {
  it.each([
    ['UTC', '2026-03-29T01:00:00Z', '2026-03-29T01:00:00+00:00', 'Sunday'],
    ['Europe/Berlin', '2026-03-29T00:59:59Z', '2026-03-29T01:59:59+01:00', 'Sunday'],
    ['Europe/Berlin', '2026-03-29T01:00:00Z', '2026-03-29T03:00:00+02:00', 'Sunday'],
    ['America/St_Johns', '2026-01-01T00:00:00Z', '2025-12-31T20:30:00-03:30', 'Wednesday'],
    ['Asia/Kathmandu', '2026-01-01T18:15:00Z', '2026-01-02T00:00:00+05:45', 'Friday'],
  ])('returns the local time in %s at %s', (timeZone, instant, local, weekday) => {
    const time = timeIn(timeZone, new Date(instant));
    expect(time).toMatchObject({ timeZone, local, weekday });
    // A machine reads the same instant from it.
    expect(Date.parse(time.local)).toBe(Date.parse(instant));
  });

  it('tells the model which form a time zone has', () => {
    expect(() => timeIn('Mars/Olympus', new Date())).toThrow(/no time zone 'Mars\/Olympus'.*Europe\/Berlin/);
  });
});

describe('ClockTool', () => {
  it('returns the current time in a time zone', () => {
    const before = Date.now();
    const { utc } = new ClockTool().now({ timeZone: 'UTC' });
    expect(Date.parse(utc)).toBeGreaterThanOrEqual(before);
    expect(Date.parse(utc)).toBeLessThanOrEqual(Date.now());
  });
});

import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { AgentTool } from '../agent-tool.decorator.js';
import { ToolError } from '../tool.error.js';

const INPUT = z.object({
  timeZone: z
    .string()
    .max(64)
    .default('UTC')
    .describe('IANA time zone such as Europe/Berlin or America/New_York. Default UTC.'),
});

/** The time in one zone, as people there read it and as machines compare it. */
export interface ZonedTime {
  readonly timeZone: string;
  /** Local date and time with its offset: `2026-03-29T03:00:00+02:00`. */
  readonly local: string;
  readonly weekday: string;
  /** Difference from UTC: `+02:00`. */
  readonly offset: string;
  readonly utc: string;
}

@Injectable()
export class ClockTool {
  @AgentTool({
    name: 'clock',
    label: 'Looking at the clock…',
    description:
      'The current date, time, weekday and UTC offset in a time zone. Use it for anything that depends on today or now.',
    input: INPUT,
    expose: { input: true, output: true },
    timeoutMs: 1_000,
  })
  now({ timeZone }: z.output<typeof INPUT>): ZonedTime {
    return timeIn(timeZone, new Date());
  }
}

/** @throws ToolError when there is no such zone */
export function timeIn(timeZone: string, instant: Date): ZonedTime {
  const parts = partsIn(timeZone, instant);
  // "GMT+02:00", and in zones without an offset just "GMT"
  const offset = parts.timeZoneName?.slice('GMT'.length) || '+00:00';
  return {
    timeZone,
    local: `${parts.year}-${parts.month}-${parts.day}T${parts.hour}:${parts.minute}:${parts.second}${offset}`,
    weekday: parts.weekday ?? '',
    offset,
    utc: instant.toISOString(),
  };
}

function partsIn(timeZone: string, instant: Date): Partial<Record<Intl.DateTimeFormatPartTypes, string>> {
  try {
    const format = new Intl.DateTimeFormat('en-GB', {
      timeZone,
      weekday: 'long',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
      timeZoneName: 'longOffset',
    });
    return Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, value]));
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new ToolError(
      `There is no time zone '${timeZone}'. Use an IANA name such as Europe/Berlin or UTC.`,
      {
        cause,
      },
    );
  }
}

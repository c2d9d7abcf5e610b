import type { SecurityEventType } from './security-event.js';

const WINDOW_MS = 60_000;
const MAX_PER_CALLER = 20;
const MAX_PER_TYPE = 600;

/** Admits so many events of a type in a minute, of one caller and of all, and counts the others. */
export class EventLimiter {
  private admitted = new Map<SecurityEventType, Map<string, number>>();
  private totals = new Map<SecurityEventType, number>();
  private suppressed = new Map<SecurityEventType, number>();
  private windowEnd: NodeJS.Timeout | undefined;

  /** @param summarize is told, when the minute is over, how many events of a type were not admitted */
  constructor(private readonly summarize: (type: SecurityEventType, suppressed: number) => void) {}

  /** True if the event may be told; false if it was only counted. */
  admit(type: SecurityEventType, caller: string): boolean {
    this.windowEnd ??= setTimeout(() => this.endWindow(), WINDOW_MS).unref();
    const total = this.totals.get(type) ?? 0;
    const callers = this.getCallers(type);
    const count = callers.get(caller) ?? 0;
    if (count >= MAX_PER_CALLER || total >= MAX_PER_TYPE) {
      this.suppressed.set(type, (this.suppressed.get(type) ?? 0) + 1);
      return false;
    }
    // Only callers that were admitted are kept: never more than lines.
    callers.set(caller, count + 1);
    this.totals.set(type, total + 1);
    return true;
  }

  private getCallers(type: SecurityEventType): Map<string, number> {
    const known = this.admitted.get(type);
    if (known) return known;
    const callers = new Map<string, number>();
    this.admitted.set(type, callers);
    return callers;
  }

  private endWindow(): void {
    const { suppressed } = this;
    this.windowEnd = undefined;
    this.admitted = new Map();
    this.totals = new Map();
    this.suppressed = new Map();
    for (const [type, count] of suppressed) this.summarize(type, count);
  }
}

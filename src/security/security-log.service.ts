import { Inject, Injectable, Logger, Optional } from '@nestjs/common';
import type { Owner } from '../principal.js';
import { addressBlock, rememberedAddress } from './caller-address.js';
import { EventLimiter } from './event-limiter.js';
import { REFUSALS, SECURITY_EVENTS, type SecurityEvent, type SecurityListener } from './security-event.js';

/** Of the host's, for its own collection of events. */
export const SECURITY_LISTENER = Symbol('SECURITY_LISTENER');

/** Longer texts than this come from callers, and are cut. */
const MAX_TEXT = 200;

/**
 * Writes security events: one line at `info` each, with `securityEvent` as its type, so that alerts have something to count.
 * Never holds a credential, a prompt, a header or the text of a tool.
 *
 * Callers cannot flood it: of one type of refusal, 20 lines a minute tell of one address (or of one principal, where no address is known),
 * and 600 of all. What is beyond is counted, and told as `suppressed` in one line at the minute's end.
 */
@Injectable()
export class SecurityLog {
  private readonly logger = new Logger('Security');
  private readonly limiter = new EventLimiter((type, suppressed) => this.write({ type, suppressed }));

  constructor(@Optional() @Inject(SECURITY_LISTENER) private readonly listener?: SecurityListener) {}

  /** The address is that of the principal's request, where the event does not say another. */
  record(event: SecurityEvent): void {
    const address = event.address ?? (event.principal && rememberedAddress(event.principal));
    const { principal } = event;
    const from = address ?? (principal && JSON.stringify([principal.tenant, principal.userId])) ?? '';
    const caller = address === undefined ? from : addressBlock(address);
    if (!REFUSALS.has(event.type) || this.limiter.admit(event.type, caller))
      this.write({ ...event, ...(address !== undefined && { address }) });
  }

  private write(event: SecurityEvent): void {
    const { type, principal, ...facts } = event;
    this.logger.log(SECURITY_EVENTS[type], {
      securityEvent: type,
      ...toFields(principal),
      ...shortened(facts),
    });
    if (this.listener) void this.notify(this.listener, event);
  }

  private async notify(listener: SecurityListener, event: SecurityEvent): Promise<void> {
    try {
      await listener(event);
    } catch (error) {
      this.logger.error({ err: error }, 'hooks.onSecurityEvent failed; the event is in the log.');
    }
  }
}

function toFields(principal: Owner | undefined) {
  return principal && shortened({ userId: principal.userId, tenant: principal.tenant });
}

function shortened(facts: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [
      name,
      typeof value === 'string' && value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value,
    ]),
  );
}

import type { Authentication } from './authentication.js';
import { PrincipalToken } from './principal-token.js';

/** What a browser's EventSource puts into its URL as `?ticket=`, because it can send no header. */
export interface StreamTicket {
  readonly ticket: string;
  /** Until when it opens the stream, in milliseconds since the epoch. A stream that is open by then stays open. */
  readonly expiresAt: number;
}

/**
 * Short-lived tickets for the events of one run. Stateless, so every instance with the same secret knows them; usable more
 * than once, because an EventSource reconnects to the very same URL; good for nothing but that run's events.
 */
export class StreamTicketService {
  private readonly tokens: PrincipalToken;

  constructor(secret: Uint8Array, ttlMs: number) {
    this.tokens = new PrincipalToken(secret, 'stream-ticket', ttlMs);
  }

  /** The caller must have made sure that the run is the principal's. The ticket never outlives the caller's credentials. */
  async issue(caller: Pick<Authentication, 'principal' | 'expiresAt'>, runId: string): Promise<StreamTicket> {
    const { token, expiresAt } = await this.tokens.sign(caller, audienceOf(runId));
    return { ticket: token, expiresAt };
  }

  /**
   * Who the ticket was issued to; undefined when it is not ours, not for this run, or too old. `expiresAt` is the end of the
   * credentials it was issued for, not its own: its own only bounds when a stream may be opened.
   */
  async verify(ticket: string, runId: string): Promise<Authentication | undefined> {
    const carried = await this.tokens.verify(ticket, audienceOf(runId));
    return carried && { principal: carried.principal, expiresAt: carried.expiresAt, via: 'ticket' };
  }
}

function audienceOf(runId: string): string {
  return `run-events:${runId}`;
}

import type { Authentication, Refusal } from './authentication.js';
import type { PrincipalToken } from './principal-token.js';
import type { SessionEndings } from './session-endings.service.js';
import { toAuthentication } from './session.service.js';

/** The value that a browser's EventSource puts into its URL as `?ticket=`, because it cannot send headers. */
export interface StreamTicket {
  readonly ticket: string;
  /** Until when it opens the stream, in milliseconds since the epoch. A stream that is open by then stays open. */
  readonly expiresAt: number;
}

/**
 * Short-lived tickets for the events of one run. Every instance of a storage knows them; usable more than once, because an
 * EventSource reconnects to the very same URL; good for nothing but that run's events. A ticket ends with the session that it
 * was made in.
 */
export class StreamTicketService {
  constructor(
    private readonly tokens: PrincipalToken,
    private readonly endings: SessionEndings,
  ) {}

  /** The caller must have made sure that the run is the principal's. The ticket never outlives the caller's credentials. */
  async issue(
    {
      principal,
      expiresAt,
      source,
      session,
    }: Pick<Authentication, 'principal' | 'expiresAt' | 'source' | 'session'>,
    runId: string,
  ): Promise<StreamTicket> {
    const marks = session ? session.marks : await this.endings.listMarks(principal);
    const carried = {
      principal,
      source,
      marks,
      ...(expiresAt !== undefined && { expiresAt }),
      ...(session?.id !== undefined && { sessionId: session.id }),
    };
    const { token, expiresAt: ticketExpiresAt } = await this.tokens.sign(carried, toAudience(runId));
    return { ticket: token, expiresAt: ticketExpiresAt };
  }

  /**
   * Returns the principal that the ticket was issued to; undefined if it is not ours, not for this run, expired or ended, with the
   * reason in `refusals`. `expiresAt` is the end of the credentials it was issued for, not its own: its own only bounds when a
   * stream may be opened.
   */
  async verify(ticket: string, runId: string, refusals?: Refusal[]): Promise<Authentication | undefined> {
    const carried = await this.tokens.verify(ticket, toAudience(runId));
    if (typeof carried === 'string') {
      refusals?.push({ credential: 'ticket', reason: carried });
      return undefined;
    }
    if (await this.endings.hasEnded(carried)) {
      refusals?.push({ credential: 'ticket', reason: 'ended' });
      return undefined;
    }
    const { expiresAt } = carried;
    return {
      ...toAuthentication(carried, this.endings),
      ...(expiresAt !== undefined && { expiresAt }),
      via: 'ticket',
    };
  }
}

function toAudience(runId: string): string {
  return `run-events:${runId}`;
}

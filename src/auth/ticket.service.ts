import type { TicketTarget } from './accepts-ticket.decorator.js';
import type { Authentication, Refusal } from './authentication.js';
import type { PrincipalToken } from './principal-token.js';
import type { SessionEndings } from './session-endings.service.js';
import { toAuthentication } from './session.service.js';

/** The value that a browser puts into a URL as `?ticket=`, because an EventSource or an image cannot send headers. */
export interface Ticket {
  readonly ticket: string;
  /** Until when it opens its target, in milliseconds since the epoch. A stream that is open by then stays open. */
  readonly expiresAt: number;
}

/**
 * Short-lived tickets for the events of one run, or for one file. Every instance of a storage knows them; usable more than once, because an
 * EventSource reconnects to the very same URL, and a player asks for one part after another; good for nothing else. A ticket ends with the session
 * that it was made in.
 */
export class TicketService {
  constructor(
    private readonly tokens: PrincipalToken,
    private readonly endings: SessionEndings,
  ) {}

  /** The caller must have made sure that the target is the principal's. The ticket never outlives the caller's credentials. */
  async issue(
    {
      principal,
      expiresAt,
      source,
      session,
    }: Pick<Authentication, 'principal' | 'expiresAt' | 'source' | 'session'>,
    target: TicketTarget,
  ): Promise<Ticket> {
    const marks = session ? session.marks : await this.endings.listMarks(principal);
    const carried = {
      principal,
      source,
      marks,
      ...(expiresAt !== undefined && { expiresAt }),
      ...(session?.id !== undefined && { sessionId: session.id }),
    };
    const { token, expiresAt: ticketExpiresAt } = await this.tokens.sign(carried, toAudience(target));
    return { ticket: token, expiresAt: ticketExpiresAt };
  }

  /**
   * Returns the principal that the ticket was issued to; undefined if it is not ours, not for this target, expired or ended, with the
   * reason in `refusals`. `expiresAt` is the end of the credentials it was issued for, not its own: its own only bounds when a
   * stream may be opened.
   */
  async verify(
    ticket: string,
    target: TicketTarget,
    refusals?: Refusal[],
  ): Promise<Authentication | undefined> {
    const carried = await this.tokens.verify(ticket, toAudience(target));
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

function toAudience({ kind, id }: TicketTarget): string {
  return `${kind}:${id}`;
}

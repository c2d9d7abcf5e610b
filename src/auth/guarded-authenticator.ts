import type { SecurityLog } from '../security/security-log.service.js';
import { callerAddress } from '../security/caller-address.js';
import type { OfferedTicket } from './accepts-ticket.decorator.js';
import type { AuthOptions } from './auth.options.js';
import type { Authentication, IncomingRequest, Refusal } from './authentication.js';
import { Authenticator, type AuthenticateOptions, type CredentialReader } from './authenticator.js';
import type { Attempt, CredentialBrake } from './credential-brake.js';
import { readApiKey, readBearer } from './credentials/carried-credentials.js';
import { readSessionCookie } from './session-cookie.js';
import type { TicketService } from './ticket.service.js';

/** Reasons for credentials that were once good: these are not guesses. A key of ours that is not known any more has signed such things too. */
const ONCE_GOOD = new Set(['expired', 'ended', 'credential-removed', 'other-purpose', 'claims', 'id-token']);

/**
 * Tickets, then the credentials of the configured kind. Repeated wrong ones are slowed down before they are looked at, and what
 * is refused is recorded: who sent it is not known, but from where, and why it was not believed.
 */
export class GuardedAuthenticator extends Authenticator {
  constructor(
    private readonly options: AuthOptions,
    private readonly reader: CredentialReader,
    private readonly tickets: TicketService,
    private readonly brake: CredentialBrake,
    private readonly security: SecurityLog,
  ) {
    super();
  }

  override async authenticate(
    request: IncomingRequest,
    { ticket, required = false }: AuthenticateOptions = {},
  ): Promise<Authentication | undefined> {
    const presented = this.listCredentials(request, ticket);
    const address = callerAddress(request);
    const attempt = this.brake.attempt(address, presented.values());
    if (this.options.kind !== 'local') await this.hold(attempt, address);
    const refusals: Refusal[] = [];
    const authentication = await this.read(request, ticket, refusals);
    const accepted = authentication && presented.get(toCredentialKind(authentication.via));
    if (accepted !== undefined) this.brake.succeeded(attempt, accepted);
    // Of a bearer token that was no token and then an API key, nothing was refused.
    for (const [value, refusal] of refused(refusals, presented))
      if (value !== accepted) this.note(attempt, address, value, refusal);
    if (!authentication && required && refusals.length === 0)
      this.security.record({ type: 'credentials-refused', address, reason: 'absent' });
    return authentication;
  }

  private async read(
    request: IncomingRequest,
    offered: OfferedTicket | undefined,
    refusals: Refusal[],
  ): Promise<Authentication | undefined> {
    const byTicket = offered && (await this.tickets.verify(offered.ticket, offered.target, refusals));
    return byTicket ?? this.reader.read(request, refusals);
  }

  /** Lists the credentials that are about to be checked, by kind. A bearer token may be an API key. */
  private listCredentials(
    request: IncomingRequest,
    ticket: OfferedTicket | undefined,
  ): ReadonlyMap<Refusal['credential'], string> {
    const { options } = this;
    const found: [Refusal['credential'], string | undefined][] = [['ticket', ticket?.ticket]];
    if (options.kind === 'credentials') {
      if (options.jwt) found.push(['token', readBearer(request)]);
      if (options.apiKeys?.length) found.push(['api-key', readApiKey(request)]);
      found.push(['session', readSessionCookie(options, request)]);
    }
    return new Map(found.filter((each): each is [Refusal['credential'], string] => each[1] !== undefined));
  }

  private async hold(attempt: Attempt, address: string | undefined): Promise<void> {
    try {
      const waitedMs = await this.brake.hold(attempt);
      if (waitedMs > 0)
        this.security.record({ type: 'credentials-slowed', address, reason: `waited ${waitedMs} ms` });
    } catch (error) {
      this.security.record({ type: 'credentials-slowed', address, reason: 'refused: too many wait' });
      throw error;
    }
  }

  private note(
    attempt: Attempt,
    address: string | undefined,
    value: string | undefined,
    refusal: Refusal,
  ): void {
    if (value !== undefined) this.brake.failed(attempt, value, !isHarmless(refusal));
    const { reason, credential: subject } = refusal;
    this.security.record({ type: 'credentials-refused', address, reason, subject });
  }
}

/** Returns one refusal for each value, which may have been taken for a token and for a key: the one that tells most. */
function refused(
  refusals: readonly Refusal[],
  presented: ReadonlyMap<Refusal['credential'], string>,
): ReadonlyMap<string | undefined, Refusal> {
  const byValue = new Map<string | undefined, Refusal>();
  for (const refusal of refusals) {
    const value = presented.get(refusal.credential);
    if (!byValue.has(value) || isHarmless(refusal)) byValue.set(value, refusal);
  }
  return byValue;
}

function isHarmless({ credential, reason }: Refusal): boolean {
  if (ONCE_GOOD.has(reason)) return true;
  return reason === 'unknown-key' && (credential === 'session' || credential === 'ticket');
}

function toCredentialKind(via: Authentication['via']): Refusal['credential'] {
  switch (via) {
    case 'jwt':
      return 'token';
    case 'api-key':
    case 'session':
    case 'ticket':
      return via;
    case 'local':
    case 'host':
    case 'oidc':
      // Nothing of theirs is looked at here.
      return 'token';
  }
}

import type { DynamicModule } from '@nestjs/common';
import { SecurityModule } from '../security/security.module.js';
import { SecurityLog } from '../security/security-log.service.js';
import type { SharedState } from '../shared-state.js';
import { MemorySharedState } from '../storage/memory/memory-shared-state.js';
import { AuthModule } from './auth.module.js';
import type { AuthOptions } from './auth.options.js';
import { PrincipalToken } from './principal-token.js';
import { SessionEndings } from './session-endings.service.js';
import { SessionService } from './session.service.js';
import { StoredSigningKeys } from './stored-signing-keys.js';
import { TicketService } from './ticket.service.js';

/** The module with a storage of its own, as ChatModule imports it. */
export function authModule(auth: AuthOptions, state: SharedState = new MemorySharedState()): DynamicModule {
  return { ...AuthModule.forRoot({ auth, state }), imports: [SecurityModule] };
}

export interface TokenServicesOptions {
  readonly state?: SharedState;
  readonly sources?: readonly string[];
  readonly ttlMs?: number;
}

/** Tickets and sessions of one instance. */
export function tokenServices({
  state = new MemorySharedState(),
  sources = ['host'],
  ttlMs = 60_000,
}: TokenServicesOptions = {}) {
  const keys = new StoredSigningKeys(state, { tokenTtlMs: ttlMs });
  const endings = new SessionEndings(state, { tokenTtlMs: ttlMs });
  const tokens = (purpose: 'session' | 'stream-ticket') => new PrincipalToken(keys, sources, purpose, ttlMs);
  return {
    sessions: new SessionService(tokens('session'), endings, keys, new SecurityLog()),
    tickets: new TicketService(tokens('stream-ticket'), endings),
    keys,
    endings,
  };
}

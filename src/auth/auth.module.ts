import { Logger, Module, type Provider } from '@nestjs/common';
import { AppError } from '../errors.js';
import { SecurityLog } from '../security/security-log.service.js';
import { validateAuthOptions } from './auth-options.validation.js';
import {
  AUTH_MODULE_OPTIONS,
  AUTH_OPTIONS,
  ConfigurableModuleClass,
  type AuthModuleOptions,
} from './auth-module-definition.js';
import {
  DEFAULT_SESSION_TTL_MS,
  DEFAULT_TICKET_TTL_MS,
  ticketSecrets,
  type AuthOptions,
} from './auth.options.js';
import { Authenticator, type CredentialReader } from './authenticator.js';
import { ConfiguredSigningKeys } from './configured-signing-keys.js';
import { CredentialBrake } from './credential-brake.js';
import { currentSources } from './credential-source.js';
import { PassportCredentialReader } from './credentials/passport-credential.reader.js';
import { GuardedAuthenticator } from './guarded-authenticator.js';
import { HostCredentialReader } from './host-credential.reader.js';
import { OIDC_SIGN_IN, OidcSignIn } from './oidc/oidc-sign-in.service.js';
import { LocalCredentialReader } from './local-credential.reader.js';
import { PrincipalToken } from './principal-token.js';
import { SessionEndings } from './session-endings.service.js';
import { SessionService } from './session.service.js';
import { SigningKeys } from './signing-key.js';
import { StoredSigningKeys } from './stored-signing-keys.js';
import { TicketService } from './ticket.service.js';

const PROVIDERS: Provider[] = [
  { provide: AUTH_OPTIONS, inject: [AUTH_MODULE_OPTIONS], useFactory: validated },
  { provide: SigningKeys, inject: [AUTH_OPTIONS, AUTH_MODULE_OPTIONS], useFactory: signingKeys },
  {
    provide: SessionEndings,
    inject: [AUTH_OPTIONS, AUTH_MODULE_OPTIONS],
    useFactory: (auth: AuthOptions, { state }: AuthModuleOptions) =>
      new SessionEndings(state, { tokenTtlMs: longestTtlMs(auth) }),
  },
  {
    provide: SessionService,
    inject: [AUTH_OPTIONS, SigningKeys, SessionEndings, SecurityLog],
    useFactory: (auth: AuthOptions, keys: SigningKeys, endings: SessionEndings, security: SecurityLog) =>
      new SessionService(
        new PrincipalToken(keys, currentSources(auth), 'session', sessionTtlMs(auth)),
        endings,
        keys,
        security,
      ),
  },
  {
    provide: TicketService,
    inject: [AUTH_OPTIONS, SigningKeys, SessionEndings],
    useFactory: (auth: AuthOptions, keys: SigningKeys, endings: SessionEndings) =>
      new TicketService(
        new PrincipalToken(keys, currentSources(auth), 'stream-ticket', ticketTtlMs(auth)),
        endings,
      ),
  },
  { provide: CredentialBrake, useFactory: () => new CredentialBrake() },
  {
    provide: OIDC_SIGN_IN,
    inject: [AUTH_OPTIONS, SigningKeys, SessionService, CredentialBrake, SecurityLog],
    useFactory: (
      auth: AuthOptions,
      keys: SigningKeys,
      sessions: SessionService,
      brake: CredentialBrake,
      security: SecurityLog,
    ) =>
      auth.kind === 'credentials' && auth.oidc
        ? new OidcSignIn(auth, auth.oidc, {
            keys,
            sessions,
            brake,
            security,
            sessionTtlMs: sessionTtlMs(auth),
          })
        : undefined,
  },
  {
    provide: Authenticator,
    inject: [AUTH_OPTIONS, SessionService, TicketService, CredentialBrake, SecurityLog],
    useFactory: (
      auth: AuthOptions,
      sessions: SessionService,
      tickets: TicketService,
      brake: CredentialBrake,
      security: SecurityLog,
    ) => new GuardedAuthenticator(auth, credentialReader(auth, sessions), tickets, brake, security),
  },
];

/**
 * Provides what `AuthGuard` and the session controller need to authenticate callers. It registers neither; the importing module
 * binds them to its routes. `forRoot(options)` or `forRootAsync`, with a SecurityModule among the imports; each call is an instance
 * of its own. Settings that cannot be used stop the start with `CONFIG_INVALID`, which lists all of them.
 */
@Module({
  providers: PROVIDERS,
  exports: [AUTH_MODULE_OPTIONS, AUTH_OPTIONS, Authenticator, OIDC_SIGN_IN, SessionService, TicketService],
})
export class AuthModule extends ConfigurableModuleClass {}

function credentialReader(options: AuthOptions, sessions: SessionService): CredentialReader {
  switch (options.kind) {
    case 'local':
      return new LocalCredentialReader(options);
    case 'host':
      return new HostCredentialReader(options);
    case 'credentials':
      return new PassportCredentialReader(options, sessions);
  }
}

/** Everything else here needs the options, so this is where unusable settings are refused. */
function validated({ auth, state }: AuthModuleOptions): AuthOptions {
  const errors = validateAuthOptions(auth);
  if (errors.length > 0) throw new AppError('CONFIG_INVALID', errors.join('\n'));
  warnAbout(auth, state.outlivesProcess);
  return auth;
}

function signingKeys(auth: AuthOptions, { state }: AuthModuleOptions): SigningKeys {
  const [current, ...old] = ticketSecrets(auth);
  if (current !== undefined) return new ConfiguredSigningKeys([current, ...old]);
  return new StoredSigningKeys(state, { tokenTtlMs: longestTtlMs(auth) });
}

function sessionTtlMs(auth: AuthOptions): number {
  return (auth.kind === 'credentials' && auth.sessionTtlMs) || DEFAULT_SESSION_TTL_MS;
}

function ticketTtlMs({ ticketTtlMs = DEFAULT_TICKET_TTL_MS }: AuthOptions): number {
  return ticketTtlMs;
}

function longestTtlMs(auth: AuthOptions): number {
  return Math.max(sessionTtlMs(auth), ticketTtlMs(auth));
}

function warnAbout(auth: AuthOptions, keysOutliveProcess: boolean): void {
  if (auth.kind === 'local') return;
  const logger = new Logger(AuthModule.name);
  if (!keysOutliveProcess && ticketSecrets(auth).length === 0)
    logger.warn(
      'The storage is in memory, and the signing keys with it: sign-ins and stream tickets end with this process, and other ' +
        'instances do not know them. Use a storage that lasts, or set ticketSecret.',
    );
  if (auth.kind === 'credentials' && auth.jwt?.jwksUrl !== undefined && auth.jwt.audience === undefined)
    logger.warn(
      'auth.jwt.audience is not set: tokens that the issuer made for other services are accepted here, too. Set it.',
    );
}

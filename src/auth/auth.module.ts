import { Logger, Module } from '@nestjs/common';
import { AppError } from '../errors.js';
import { faultsOf } from './auth.faults.js';
import { AUTH_OPTIONS, ConfigurableModuleClass } from './auth.module-definition.js';
import { DEFAULT_SESSION_TTL_MS, DEFAULT_TICKET_TTL_MS, type AuthOptions } from './auth.options.js';
import { Authenticator } from './authenticator.js';
import { PassportAuthenticator } from './credentials/passport.authenticator.js';
import { HostAuthenticator } from './host.authenticator.js';
import { LocalAuthenticator } from './local.authenticator.js';
import { SessionService } from './session.service.js';
import { processSecret, sharedSecretOf } from './signing-key.js';
import { StreamTicketService } from './stream-ticket.service.js';

const SIGNING_SECRET = Symbol('SIGNING_SECRET');

/**
 * Who asks: exports what `AuthGuard` and the session controller need, and registers neither; the importing module binds them
 * to its routes. `forRoot(options)` or `forRootAsync`; each call is an instance of its own.
 * Settings that cannot be used stop the start with `CONFIG_INVALID`, which lists all of them.
 */
@Module({
  providers: [
    { provide: SIGNING_SECRET, inject: [AUTH_OPTIONS], useFactory: signingSecretOf },
    {
      provide: SessionService,
      inject: [AUTH_OPTIONS, SIGNING_SECRET],
      useFactory: (options: AuthOptions, secret: Uint8Array) =>
        new SessionService(
          secret,
          (options.kind === 'credentials' && options.sessionTtlMs) || DEFAULT_SESSION_TTL_MS,
        ),
    },
    {
      provide: StreamTicketService,
      inject: [AUTH_OPTIONS, SIGNING_SECRET],
      useFactory: (options: AuthOptions, secret: Uint8Array) =>
        new StreamTicketService(secret, options.ticketTtlMs ?? DEFAULT_TICKET_TTL_MS),
    },
    { provide: Authenticator, inject: [AUTH_OPTIONS, SessionService], useFactory: authenticatorOf },
  ],
  exports: [AUTH_OPTIONS, Authenticator, SessionService, StreamTicketService],
})
export class AuthModule extends ConfigurableModuleClass {}

function authenticatorOf(options: AuthOptions, sessions: SessionService): Authenticator {
  switch (options.kind) {
    case 'local':
      return new LocalAuthenticator(options);
    case 'host':
      return new HostAuthenticator(options);
    case 'credentials':
      return new PassportAuthenticator(options, sessions);
  }
}

/** Everything else here needs the secret, so this is where unusable settings are refused. */
function signingSecretOf(options: AuthOptions): Uint8Array {
  const faults = faultsOf(options);
  if (faults.length > 0) throw new AppError('CONFIG_INVALID', faults.join('\n'));
  if (options.kind === 'credentials') warnAbout(options);
  return sharedSecretOf(options) ?? processSecret();
}

function warnAbout(options: Extract<AuthOptions, { kind: 'credentials' }>): void {
  const logger = new Logger(AuthModule.name);
  if (!sharedSecretOf(options))
    logger.warn(
      'No ticketSecret: sign-ins and stream tickets end with this process, and other instances do not know them.',
    );
  if (options.jwt?.jwksUrl !== undefined && options.jwt.audience === undefined)
    logger.warn(
      'No JWT audience: a token that the issuer made for another service is accepted here as well.',
    );
}

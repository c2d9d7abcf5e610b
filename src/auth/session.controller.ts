import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Post,
  Req,
  Res,
  StandardSchemaValidationPipe,
  type Type,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { AppError } from '../errors.js';
import { AUTH_OPTIONS } from './auth.module-definition.js';
import { DEFAULT_COOKIE_NAME, type AuthOptions, type CredentialsAuthOptions } from './auth.options.js';
import type { Authentication, IncomingRequest } from './authentication.js';
import { Authenticator } from './authenticator.js';
import { challengeFor } from './challenge.js';
import { assertOwnOrigin } from './origin.js';
import { SessionService } from './session.service.js';

const SignIn = z
  .strictObject({ token: z.string().min(1).max(16_384).optional() })
  .optional()
  .meta({
    id: 'SignIn',
    description: 'An access token or API key; or send it in a header and leave the body out.',
  });
type SignIn = z.infer<typeof SignIn>;

const Session = z
  .object({
    kind: z
      .enum(['local', 'credentials', 'host'])
      .describe('`credentials`: sign in when there is no principal.'),
    principal: z
      .object({ userId: z.string(), tenant: z.string(), roles: z.array(z.string()).readonly() })
      .nullable(),
    expiresAt: z.number().optional().describe('When it ends, in milliseconds since the epoch.'),
  })
  .meta({ id: 'Session' });
type Session = z.infer<typeof Session>;

const signInBody = {
  schema: SignIn,
  pipes: [
    new StandardSchemaValidationPipe({
      exceptionFactory: () =>
        new AppError('REQUEST_INVALID', 'Send { "token": "…" }, or the credentials in a header and no body.'),
    }),
  ],
};

/** Lets a browser sign in once and then use the cookie, which EventSource sends too. Its path is given by `sessionControllerAt`. */
@ApiTags('auth')
export abstract class SessionController {
  constructor(
    @Inject(AUTH_OPTIONS) private readonly options: AuthOptions,
    private readonly authenticator: Authenticator,
    private readonly sessions: SessionService,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Who am I, and do I need to sign in' })
  @ApiOkResponse({ standardSchema: Session })
  async who(@Req() request: IncomingRequest): Promise<Session> {
    return this.describe(await this.authenticator.authenticate(request));
  }

  @Post()
  @HttpCode(200)
  @ApiOperation({ summary: 'Sign in: exchanges an access token or API key for a session cookie' })
  @ApiOkResponse({ standardSchema: Session })
  async signIn(
    @Body(signInBody) body: SignIn,
    @Req() request: IncomingRequest,
    @Res({ passthrough: true }) response: unknown,
  ): Promise<Session> {
    const options = this.credentialsOptions();
    // Or a page elsewhere could sign people in as somebody else, and read what they then ask.
    assertOwnOrigin(request, options.allowedOrigins);
    const caller = await this.authenticator.authenticate(onlyExplicit(request, body?.token));
    if (!caller) {
      this.adapterHost.httpAdapter.setHeader(response, 'WWW-Authenticate', challengeFor(request));
      throw new AppError(
        'UNAUTHENTICATED',
        'The token or API key is not valid. Check it, or ask for a new one.',
      );
    }
    const { token, expiresAt } = await this.sessions.issue(caller);
    const maxAge = Math.max(0, Math.floor((expiresAt - Date.now()) / 1000));
    this.adapterHost.httpAdapter.setCookie(response, nameOf(options), token, {
      ...attributes(request),
      maxAge,
    });
    return this.describe({ ...caller, expiresAt });
  }

  @Delete()
  @HttpCode(204)
  @ApiOperation({ summary: 'Sign out: clears the session cookie' })
  @ApiNoContentResponse()
  signOut(@Req() request: IncomingRequest, @Res({ passthrough: true }) response: unknown): void {
    const options = this.credentialsOptions();
    assertOwnOrigin(request, options.allowedOrigins);
    this.adapterHost.httpAdapter.clearCookie(response, nameOf(options), attributes(request));
  }

  private describe(caller: Authentication | undefined): Session {
    return {
      kind: this.options.kind,
      principal: caller?.principal ?? null,
      expiresAt: caller?.expiresAt,
    };
  }

  private credentialsOptions(): CredentialsAuthOptions {
    if (this.options.kind === 'credentials') return this.options;
    throw new AppError(
      'NOT_FOUND',
      'There is no sign-in here: this server has no credentials of its own configured.',
    );
  }
}

/**
 * The controller at a path of the caller's choice, for `controllers` of a module that imports AuthModule: two instances in one
 * application need two. `decorators` are applied to the class, for instance `UseFilters` with the filter that answers AppErrors.
 */
export function sessionControllerAt(path: string, ...decorators: ClassDecorator[]): Type<SessionController> {
  class PlacedSessionController extends SessionController {}
  for (const decorate of [...decorators, Controller(path)]) decorate(PlacedSessionController);
  return PlacedSessionController;
}

/** The request as if no cookie had come: a sign-in that fails must not succeed as whoever was signed in before. */
function onlyExplicit(request: IncomingRequest, token: string | undefined): IncomingRequest {
  const { authorization, 'x-api-key': apiKey } = request.headers;
  const headers =
    token === undefined ? { authorization, 'x-api-key': apiKey } : { authorization: `Bearer ${token}` };
  return { method: request.method, headers };
}

function nameOf(options: CredentialsAuthOptions): string {
  return options.cookieName ?? DEFAULT_COOKIE_NAME;
}

function attributes(request: IncomingRequest) {
  return { httpOnly: true, sameSite: 'strict', secure: request.protocol === 'https', path: '/' } as const;
}

import { Body, Delete, Get, HttpCode, Inject, Optional, Post, Req, Res } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ApiBody, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { AppError } from '../errors.js';
import { nameOption } from '../option-names.js';
import { describeAnswer, describeBody } from '../openapi/describe.js';
import { mayUse } from '../principal.js';
import { callerAddress } from '../security/caller-address.js';
import { AUTH_MODULE_OPTIONS, AUTH_OPTIONS, type AuthModuleOptions } from './auth-module-definition.js';
import type { AuthOptions, CredentialsAuthOptions } from './auth.options.js';
import { attachAuthentication, type Authentication, type IncomingRequest } from './authentication.js';
import { Authenticator } from './authenticator.js';
import { toChallenge } from './challenge.js';
import { OIDC_SIGN_IN, type OidcSignIn } from './oidc/oidc-sign-in.service.js';
import { assertOwnOrigin } from './origin.js';
import { sessionCookie, readSessionCookie } from './session-cookie.js';
import { SessionService } from './session.service.js';

const SignIn = z.strictObject({ token: z.string().min(1).max(16_384).optional() }).meta({
  id: 'SignIn',
  description: 'An access token or API key; or send it in a header and leave the body out.',
});

const Session = z
  .object({
    kind: z
      .enum(['local', 'credentials', 'host'])
      .describe('`credentials`: sign in when there is no principal.'),
    principal: z
      .object({ userId: z.string(), tenant: z.string(), roles: z.array(z.string()).readonly() })
      .nullable(),
    name: z.string().optional().describe('The name of the person, if the credentials tell it.'),
    signIn: z
      .array(z.enum(['token', 'oidc']))
      .readonly()
      .describe(
        'Ways to sign in here: `token`, by a POST to this route; `oidc`, by sending the browser to the route `oidc` below it.',
      ),
    expiresAt: z.number().optional().describe('When it ends, in milliseconds since the epoch.'),
    brand: z
      .object({
        name: z.string().optional(),
        logo: z.string().optional().describe('A `data:` URL.'),
        accent: z.object({ light: z.string(), dark: z.string() }).optional().describe('As `#rrggbb`.'),
        greeting: z.string().optional(),
      })
      .optional()
      .describe('The look of the page.'),
  })
  .meta({ id: 'Session' });
type Session = z.infer<typeof Session>;

const SignedOut = z
  .object({
    signOutUrl: z.string().describe('Send the browser there: it ends the session at the provider as well.'),
  })
  .meta({ id: 'SignedOut' });
type SignedOut = z.infer<typeof SignedOut>;

const EndSessions = z
  .union([
    z.strictObject({ userId: z.string().min(1).max(1_000), tenant: z.string().min(1).max(1_000) }),
    z.strictObject({ everybody: z.literal(true) }),
  ])
  .meta({ id: 'EndSessions', description: 'Whose sessions and tickets end.' });

/** Lets a browser sign in once and then use the cookie, which EventSource sends too. A subclass says where, and what answers its errors. */
@ApiTags('auth')
export abstract class SessionController {
  constructor(
    @Inject(AUTH_OPTIONS) private readonly options: AuthOptions,
    @Inject(AUTH_MODULE_OPTIONS) private readonly module: AuthModuleOptions,
    private readonly authenticator: Authenticator,
    private readonly sessions: SessionService,
    private readonly adapterHost: HttpAdapterHost,
    @Optional() @Inject(OIDC_SIGN_IN) private readonly oidc: OidcSignIn | undefined,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Get the current session' })
  @ApiOkResponse(describeAnswer(Session))
  async getSession(@Req() request: IncomingRequest): Promise<Session> {
    return this.describe(await this.authenticator.authenticate(request));
  }

  @Post()
  @HttpCode(200)
  @ApiOperation({ summary: 'Sign in: exchange an access token or API key for a session cookie' })
  @ApiBody({ ...describeBody(SignIn), required: false })
  @ApiOkResponse(describeAnswer(Session))
  async signIn(
    @Body() body: unknown,
    @Req() request: IncomingRequest,
    @Res({ passthrough: true }) response: unknown,
  ): Promise<Session> {
    const options = this.credentialsOptions();
    // Or a page elsewhere could sign people in as somebody else, and read what they then ask.
    assertOwnOrigin(request, options.allowedOrigins);
    const asked = SignIn.optional().safeParse(body);
    if (!asked.success)
      throw new AppError(
        'REQUEST_INVALID',
        'Send { "token": "…" }, or the credentials in a header and no body.',
      );
    const explicit = onlyExplicit(request, asked.data?.token);
    const caller = await this.authenticator.authenticate(explicit, { required: true });
    if (!caller)
      throw this.unauthenticated(
        request,
        response,
        'The token or API key is not valid. Check it, or ask for a new one.',
      );
    const issued = await this.sessions.issue(caller, callerAddress(request));
    if (!issued)
      throw new AppError(
        'REQUEST_INVALID',
        'The roles of this token do not fit into a cookie. Send the token with each request, or ask for one that names fewer.',
      );
    const { token, expiresAt } = issued;
    const maxAge = Math.max(0, Math.floor((expiresAt - Date.now()) / 1000));
    this.setCookie(request, response, options, { value: token, maxAge });
    return this.describe({ ...caller, expiresAt });
  }

  @Delete()
  @ApiOperation({
    summary: 'Sign out: end this session',
    description:
      'A copy of the cookie is worth nothing afterwards, and neither are tickets that were made with it. 200 for a session that was begun at a provider which has a sign-out of its own.',
  })
  @ApiNoContentResponse()
  @ApiOkResponse(describeAnswer(SignedOut))
  async signOut(
    @Req() request: IncomingRequest,
    @Res({ passthrough: true }) response: unknown,
  ): Promise<SignedOut | undefined> {
    const options = this.credentialsOptions();
    assertOwnOrigin(request, options.allowedOrigins);
    const session = readSessionCookie(options, request);
    const source =
      session === undefined ? undefined : await this.sessions.end(session, callerAddress(request));
    const signOutUrl = await this.oidc?.signOutUrl(request, source);
    this.clearCookies(request, response, options);
    this.adapterHost.httpAdapter.status(response, signOutUrl === undefined ? 204 : 200);
    return signOutUrl === undefined ? undefined : { signOutUrl };
  }

  @Delete('all')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Sign out everywhere: end all sessions and tickets of the caller',
    description:
      'On all instances within 3 seconds, open streams included. Access tokens and API keys go on: those are their issuer’s.',
  })
  @ApiNoContentResponse()
  async signOutEverywhere(
    @Req() request: IncomingRequest,
    @Res({ passthrough: true }) response: unknown,
  ): Promise<void> {
    if (this.options.kind === 'local') throw createNoSignInError();
    const { principal } = await this.caller(request, response);
    await this.sessions.endAll(principal, { principal, address: callerAddress(request), as: 'user' });
    if (this.options.kind === 'credentials') this.clearCookies(request, response, this.options);
  }

  @Post('end')
  @HttpCode(204)
  @ApiOperation({
    summary: 'End the sessions of one user or of all users (operators)',
    description:
      'For callers with one of the `operatorRoles`, in every tenant. `everybody` also forgets the keys ' +
      'that sessions and tickets are signed with.',
  })
  @ApiBody(describeBody(EndSessions))
  @ApiNoContentResponse()
  async end(
    @Body() body: unknown,
    @Req() request: IncomingRequest,
    @Res({ passthrough: true }) response: unknown,
  ): Promise<void> {
    const asked = EndSessions.safeParse(body);
    if (!asked.success)
      throw new AppError(
        'REQUEST_INVALID',
        'Send { "userId": "…", "tenant": "…" } or { "everybody": true }.',
      );
    const { operatorRoles = [] } = this.credentialsOptions();
    const { principal } = await this.caller(request, response);
    if (operatorRoles.length === 0 || !mayUse(principal, operatorRoles))
      throw new AppError(
        'FORBIDDEN',
        `Only callers with a role of ${nameOption('operatorRoles')} may end sessions of others.`,
      );
    const by = { principal, address: callerAddress(request), as: 'operator' } as const;
    if ('everybody' in asked.data) await this.sessions.endForEveryone(by);
    else await this.sessions.endAll(asked.data, by);
  }

  private async caller(request: IncomingRequest, response: unknown): Promise<Authentication> {
    const caller = await this.authenticator.authenticate(request, { required: true });
    if (!caller)
      throw this.unauthenticated(request, response, 'Sign in, or send a valid bearer token or API key.');
    attachAuthentication(request, caller);
    return caller;
  }

  private unauthenticated(request: IncomingRequest, response: unknown, message: string): AppError {
    this.adapterHost.httpAdapter.setHeader(response, 'WWW-Authenticate', toChallenge(request));
    return new AppError('UNAUTHENTICATED', message);
  }

  private clearCookies(request: IncomingRequest, response: unknown, options: CredentialsAuthOptions): void {
    this.setCookie(request, response, options, { value: '', maxAge: 0 });
    if (this.oidc)
      this.adapterHost.httpAdapter.appendHeader(response, 'Set-Cookie', this.oidc.forget(request));
  }

  private setCookie(
    request: IncomingRequest,
    response: unknown,
    options: CredentialsAuthOptions,
    { value, maxAge }: { readonly value: string; readonly maxAge: number },
  ): void {
    const cookie = sessionCookie(options, request, { value, maxAge });
    this.adapterHost.httpAdapter.appendHeader(response, 'Set-Cookie', cookie);
  }

  private describe(caller: Authentication | undefined): Session {
    return {
      kind: this.options.kind,
      principal: caller?.principal ?? null,
      name: caller?.name,
      signIn: this.listWays(),
      expiresAt: caller?.expiresAt,
      brand: this.module.brand,
    };
  }

  private listWays(): Session['signIn'] {
    if (this.options.kind !== 'credentials') return [];
    const { jwt, apiKeys, oidc } = this.options;
    return [...(oidc ? (['oidc'] as const) : []), ...(jwt || apiKeys?.length ? (['token'] as const) : [])];
  }

  private credentialsOptions(): CredentialsAuthOptions {
    if (this.options.kind === 'credentials') return this.options;
    throw createNoSignInError();
  }
}

function createNoSignInError(): AppError {
  return new AppError(
    'NOT_FOUND',
    'There is no sign-in here: this server has no credentials of its own configured.',
  );
}

/** The request as if no cookie had come: a sign-in that fails must not succeed as the person who was signed in before. */
function onlyExplicit(request: IncomingRequest, token: string | undefined): IncomingRequest {
  const { authorization, 'x-api-key': apiKey } = request.headers;
  const headers =
    token === undefined ? { authorization, 'x-api-key': apiKey } : { authorization: `Bearer ${token}` };
  const { method, ip } = request;
  return { method, headers, ...(ip !== undefined && { ip }) };
}

import { Controller, Get, Inject, Optional, Query, Redirect, Req, Res, UseFilters } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ApiOperation, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { IncomingRequest } from '../auth/authentication.js';
import { OIDC_SIGN_IN, type Departure, type OidcSignIn } from '../auth/oidc/oidc-sign-in.service.js';
import { AppError } from '../errors.js';
import { ApiProblems } from '../http/api-problems.decorator.js';
import { ProblemFilter } from '../http/problem.filter.js';

const SEE_OTHER = 303;

/** Sign-in at an OpenID provider: a browser leaves here, and comes back here. */
@Controller()
@ApiTags('auth')
@UseFilters(ProblemFilter)
@ApiProblems(['NOT_FOUND'])
export class OidcController {
  constructor(
    @Optional() @Inject(OIDC_SIGN_IN) private readonly oidc: OidcSignIn | undefined,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  @Get('oidc')
  @Redirect()
  @ApiOperation({
    summary: 'Sign in at the OpenID provider',
    description: 'For the address bar of a browser, not for scripts.',
  })
  @ApiQuery({
    name: 'returnTo',
    required: false,
    schema: { type: 'string' },
    description: 'The path of the page to come back to, with its query. Other origins are not taken.',
  })
  @ApiResponse({
    status: SEE_OTHER,
    description: 'To the provider; to the page if the provider cannot be reached.',
  })
  @ApiResponse({ status: 'default', description: 'The page at the end of the redirects.' })
  async begin(
    @Query('returnTo') returnTo: unknown,
    @Req() request: IncomingRequest,
    @Res({ passthrough: true }) response: unknown,
  ): Promise<{ readonly url: string; readonly statusCode: number }> {
    return this.leave(response, await this.provider.begin(request, returnTo));
  }

  @Get('oidc/callback')
  @Redirect()
  @ApiOperation({
    summary: 'Come back from the OpenID provider',
    description:
      'Sets the session cookie and leads to the page that the browser has left. If the sign-in failed, `signIn` in its query says why: `denied`, `expired`, `unavailable`, `claims` or `failed`.',
  })
  @ApiResponse({ status: SEE_OTHER, description: 'To the page.' })
  @ApiResponse({ status: 'default', description: 'The page at the end of the redirects.' })
  async finish(
    @Req() request: IncomingRequest,
    @Res({ passthrough: true }) response: unknown,
  ): Promise<{ readonly url: string; readonly statusCode: number }> {
    return this.leave(response, await this.provider.finish(request));
  }

  private leave(response: unknown, { url, cookies }: Departure) {
    const { httpAdapter } = this.adapterHost;
    httpAdapter.setHeader(response, 'Cache-Control', 'no-store');
    for (const cookie of cookies) httpAdapter.appendHeader(response, 'Set-Cookie', cookie);
    return { url, statusCode: SEE_OTHER };
  }

  private get provider(): OidcSignIn {
    if (this.oidc) return this.oidc;
    throw new AppError('NOT_FOUND', 'There is no sign-in at a provider here: none is configured.');
  }
}

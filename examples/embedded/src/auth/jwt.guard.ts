import { Injectable, UnauthorizedException, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { jwtVerify } from 'jose';
import { bringsStreamTicket } from 'nestjs-agent-stream';
import { settings } from '../settings.js';
import type { SignedInRequest } from './user.js';

/** On every route: a bearer token of our identity provider. */
@Injectable()
export class JwtGuard implements CanActivate {
  async canActivate(context: ExecutionContext): Promise<boolean> {
    // chat: an EventSource cannot send headers; its ticket is checked by the chat's own guard, which comes after this one.
    if (bringsStreamTicket(context)) return true;
    const request = context.switchToHttp().getRequest<SignedInRequest>();
    const token = request.headers.authorization?.replace(/^Bearer /, '') ?? '';
    const { payload } = await jwtVerify<{ company: string; groups?: string[] }>(
      token,
      settings.jwtSecret,
    ).catch(() => {
      throw new UnauthorizedException('Sign in first.');
    });
    const { sub: id = '', company, groups = [] } = payload;
    request.user = { id, company, groups };
    return true;
  }
}

import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { getAuthentication } from '../auth/authentication.js';
import { takeDeferredBody } from './deferred-body.js';

/**
 * Reads the body of a request whose caller `AuthGuard` has found; bind it right after that guard. Refuses bodies that are too
 * large, compressed or malformed, and those for which there is no room now.
 */
@Injectable()
export class BodyGuard implements CanActivate {
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<object>();
    await takeDeferredBody(request)?.parse(getAuthentication(request).principal);
    return true;
  }
}

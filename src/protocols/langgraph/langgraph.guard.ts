import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { validate } from '../../http/validate.js';
import type { WebRequest } from '../../http/web.exchange.js';
import { subscriptionSchema } from './langgraph.input.js';

/** Refuses a subscription that is none before the stream. REQUEST_INVALID. */
@Injectable()
export class SubscriptionGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    validate(subscriptionSchema, context.switchToHttp().getRequest<WebRequest>().body, 'body');
    return true;
  }
}

import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { validate } from '../../http/validate.js';
import { subscriptionSchema } from './langgraph.input.js';

/** Refuses a subscription that is none before the stream. REQUEST_INVALID. */
@Injectable()
export class SubscriptionGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    validate(subscriptionSchema, context.switchToHttp().getRequest<Request>().body, 'body');
    return true;
  }
}

import { Injectable, type ExecutionContext } from '@nestjs/common';
import type { WebRequest } from '../../http/http.types.js';
import { RunStartThrottlerGuard } from '../../throttling/run-start-throttler.guard.js';
import { parseMethod } from './a2a-v03.js';

/** Limits the calls that start a task; a call that asks how one stands is free, and so is a message that comes again. */
@Injectable()
export class A2aStartThrottlerGuard extends RunStartThrottlerGuard {
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const { body } = context.switchToHttp().getRequest<WebRequest>();
    const name = (body as { method?: unknown } | undefined)?.method;
    // Not String(name), which calls what a caller may have sent as `toString`.
    const { method } = parseMethod(typeof name === 'string' ? name : '');
    const starts = method === 'SendMessage' || method === 'SendStreamingMessage';
    return starts ? super.canActivate(context) : true;
  }

  /** A message's id is its idempotency key. */
  protected override mayRepeat(): boolean {
    return true;
  }
}

import { Injectable, type CanActivate, type ExecutionContext, type OnModuleDestroy } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { getAuthentication } from '../auth/authentication.js';
import type { Owner } from '../principal.js';
import { Switches } from '../switches/switches.js';
import { rawResponse, type WebResponse } from './http.types.js';

/** The answers that are under way, and whose they are. Those of a caller who is switched off are cut, streams above all. */
@Injectable()
export class OpenReplies implements OnModuleDestroy {
  private readonly callers = new Map<ServerResponse, Owner>();
  private readonly stopListening: () => void;

  constructor(private readonly switches: Switches) {
    this.stopListening = switches.onChange(() => this.cut());
  }

  add(response: ServerResponse, caller: Owner): void {
    // A client that left while we waited has had its close event already.
    if (response.closed) return;
    this.callers.set(response, caller);
    response.once('close', () => this.callers.delete(response));
  }

  onModuleDestroy(): void {
    this.stopListening();
  }

  private cut(): void {
    for (const [response, caller] of this.callers) {
      if (this.switches.refuseCaller(caller)) response.destroy();
    }
  }
}

/** On every route, after `AuthGuard`: a caller who is switched off is refused with `SWITCHED_OFF`, at any time. */
@Injectable()
export class SwitchedOffGuard implements CanActivate {
  constructor(
    private readonly switches: Switches,
    private readonly replies: OpenReplies,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const http = context.switchToHttp();
    const { principal } = getAuthentication(http.getRequest<object>());
    const refusal = this.switches.refuseCaller(principal);
    if (refusal) throw refusal;
    this.replies.add(rawResponse(http.getResponse<WebResponse>()), principal);
    return true;
  }
}

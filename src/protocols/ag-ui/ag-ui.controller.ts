import { Controller, Param, Post, Req, RequestMethod, Sse, type MessageEvent } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Observable } from 'rxjs';
import { CurrentPrincipal } from '../../auth/authentication.js';
import type { WebRequest } from '../../http/web.exchange.js';
import type { Principal } from '../../principal.js';
import { ThreadRuns } from '../thread.runs.js';
import { ConnectEndpoint, RunAgentEndpoint, StopEndpoint, type AgUiStopped } from './ag-ui.endpoints.js';
import { AgUiStream } from './ag-ui.stream.js';

/** The AG-UI protocol for `HttpAgent` of `@ag-ui/client`, and for TanStack AI, which comes back after a cut. */
@ApiTags('ag-ui')
@Controller()
export class AgUiController {
  constructor(
    private readonly stream: AgUiStream,
    private readonly threads: ThreadRuns,
  ) {}

  @Sse('', { method: RequestMethod.POST })
  @RunAgentEndpoint('Run the default agent')
  run(@Req() request: WebRequest): Observable<MessageEvent> {
    return this.stream.follow(request);
  }

  @Sse('connect', { method: RequestMethod.POST })
  @ConnectEndpoint('Join a conversation')
  connect(@Req() request: WebRequest): Observable<MessageEvent> {
    return this.stream.follow(request);
  }

  @Post('stop/:threadId')
  @StopEndpoint("Stop a conversation's run")
  async stop(
    @CurrentPrincipal() principal: Principal,
    @Param('threadId') threadId: string,
  ): Promise<AgUiStopped> {
    return { stopped: (await this.threads.stop(principal, threadId)) !== undefined };
  }
}

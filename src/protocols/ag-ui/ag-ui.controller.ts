import { Controller, Param, Post, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal } from '../../auth/authentication.js';
import { replyWithEventStream } from '../../http/reply-with-event-stream.js';
import { SseStreams } from '../../http/sse-streams.js';
import type { WebRequest, WebResponse } from '../../http/http.types.js';
import type { Principal } from '../../principal.js';
import { ThreadRuns } from '../thread-runs.js';
import { ConnectEndpoint, RunAgentEndpoint, StopEndpoint, type AgUiStopped } from './ag-ui.endpoints.js';
import { AgUiRuns } from './ag-ui-run.service.js';
import { AgUiStream } from './ag-ui-stream.js';

/** The AG-UI protocol for `HttpAgent` of `@ag-ui/client`, and for TanStack AI, which comes back after a cut. */
@ApiTags('ag-ui')
@Controller()
export class AgUiController {
  constructor(
    private readonly runs: AgUiRuns,
    private readonly protocol: AgUiStream,
    private readonly threads: ThreadRuns,
    private readonly streams: SseStreams,
  ) {}

  @Post()
  @RunAgentEndpoint('Run the default agent')
  async run(@Req() request: WebRequest, @Res() response: WebResponse): Promise<void> {
    const view = await this.runs.run(request);
    await replyWithEventStream(this.streams, response, this.protocol.follow({ request, response }, view));
  }

  @Post('connect')
  @ConnectEndpoint('Join a conversation')
  async connect(@Req() request: WebRequest, @Res() response: WebResponse): Promise<void> {
    const view = await this.runs.connect(request);
    await replyWithEventStream(this.streams, response, this.protocol.follow({ request, response }, view));
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

import { Controller, Get, Param, Post, Req, Res } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiParam, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { AgentRegistry } from '../../agents/agent.registry.js';
import { CurrentPrincipal } from '../../auth/authentication.js';
import { AppError } from '../../errors.js';
import { Endpoint } from '../../http/endpoint.decorator.js';
import { replyWithEventStream } from '../../http/reply-with-event-stream.js';
import { SseStreams } from '../../http/sse-streams.js';
import type { WebRequest, WebResponse } from '../../http/http.types.js';
import type { Principal } from '../../principal.js';
import { ThreadRuns } from '../thread-runs.js';
import { ConnectEndpoint, RunAgentEndpoint, StopEndpoint, type AgUiStopped } from './ag-ui.endpoints.js';
import { AgUiRuns } from './ag-ui-run.service.js';
import { AgUiStream } from './ag-ui-stream.js';

const AGENT_ID = { name: 'agentId', description: "The agent's name; `default` is the default agent." };

/** The version of CopilotKit's runtime whose paths these are. */
const RUNTIME_VERSION = '1.75.0';

const infoSchema = z
  .object({
    version: z.string(),
    mode: z.literal('sse'),
    audioFileTranscriptionEnabled: z.boolean(),
    agents: z.record(z.string(), z.object({ name: z.string(), description: z.string() })),
  })
  .meta({ id: 'CopilotKitInfo' });

/** The paths of CopilotKit's runtime: its React hooks need no server of their own in between. */
@ApiTags('ag-ui')
@Controller()
export class CopilotKitController {
  constructor(
    private readonly runs: AgUiRuns,
    private readonly protocol: AgUiStream,
    private readonly threads: ThreadRuns,
    private readonly streams: SseStreams,
    private readonly agents: AgentRegistry,
  ) {}

  @Get('info')
  @Endpoint({
    summary: 'List the agents for CopilotKit',
    reply: { status: 200, description: 'What this runtime has.', schema: infoSchema },
  })
  info(@CurrentPrincipal() principal: Principal): z.output<typeof infoSchema> {
    const available = this.agents
      .availableTo(principal)
      .map(({ name, description }) => ({ name, description }));
    const [first] = available;
    const named = available.map((agent) => [agent.name, agent] as const);
    return {
      version: RUNTIME_VERSION,
      mode: 'sse',
      audioFileTranscriptionEnabled: false,
      agents: { ...(first && { default: first }), ...Object.fromEntries(named) },
    };
  }

  /**
   * CopilotKit's other transport, which is not served. A client whose `info` was refused tries it next, and tells people of
   * this answer only: so one without credentials has its 401 here too.
   *
   * @throws AppError REQUEST_INVALID
   */
  @Post()
  @ApiExcludeEndpoint()
  @Endpoint({ summary: 'Not supported', reply: { status: 400, description: 'Says what to use instead.' } })
  singleEndpoint(): never {
    const message = 'This runtime has a path for each call. Leave useSingleEndpoint out, or set it to false.';
    // `message` is where CopilotKit looks for words.
    throw new AppError('REQUEST_INVALID', message, { details: { message } });
  }

  @Post('agent/:agentId/run')
  @ApiParam(AGENT_ID)
  @RunAgentEndpoint('Run an agent, for CopilotKit')
  async run(@Req() request: WebRequest, @Res() response: WebResponse): Promise<void> {
    const view = await this.runs.run(request);
    await replyWithEventStream(this.streams, response, this.protocol.follow({ request, response }, view));
  }

  @Post('agent/:agentId/connect')
  @ApiParam(AGENT_ID)
  @ConnectEndpoint('Join a conversation, for CopilotKit')
  async connect(@Req() request: WebRequest, @Res() response: WebResponse): Promise<void> {
    const view = await this.runs.connect(request);
    await replyWithEventStream(this.streams, response, this.protocol.follow({ request, response }, view));
  }

  @Post('agent/:agentId/stop/:threadId')
  @ApiParam(AGENT_ID)
  @StopEndpoint("Stop a conversation's run, for CopilotKit")
  async stop(
    @CurrentPrincipal() principal: Principal,
    @Param('threadId') threadId: string,
  ): Promise<AgUiStopped> {
    return { stopped: (await this.threads.stop(principal, threadId)) !== undefined };
  }
}

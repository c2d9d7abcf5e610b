import { Controller, Get, Param, Post, Req, RequestMethod, Sse, type MessageEvent } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiParam, ApiTags } from '@nestjs/swagger';
import type { Observable } from 'rxjs';
import { z } from 'zod';
import { AgentRegistry } from '../../agents/agent.registry.js';
import { CurrentPrincipal } from '../../auth/authentication.js';
import { AppError } from '../../errors.js';
import { Endpoint } from '../../http/endpoint.decorator.js';
import type { WebRequest } from '../../http/web.exchange.js';
import type { Principal } from '../../principal.js';
import { ThreadRuns } from '../thread.runs.js';
import { ConnectEndpoint, RunAgentEndpoint, StopEndpoint, type AgUiStopped } from './ag-ui.endpoints.js';
import { AgUiStream } from './ag-ui.stream.js';

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
    private readonly stream: AgUiStream,
    private readonly threads: ThreadRuns,
    private readonly agents: AgentRegistry,
  ) {}

  @Get('info')
  @Endpoint({
    summary: 'The agents, for CopilotKit',
    answers: { status: 200, description: 'What this runtime has.', schema: infoSchema },
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
  @Endpoint({ summary: 'Not served', answers: { status: 400, description: 'Says what to use instead.' } })
  singleEndpoint(): never {
    const message = 'This runtime has a path for each call. Leave useSingleEndpoint out, or set it to false.';
    // `message` is where CopilotKit looks for words.
    throw new AppError('REQUEST_INVALID', message, { details: { message } });
  }

  @Sse('agent/:agentId/run', { method: RequestMethod.POST })
  @ApiParam(AGENT_ID)
  @RunAgentEndpoint('Run an agent, for CopilotKit')
  run(@Req() request: WebRequest): Observable<MessageEvent> {
    return this.stream.follow(request);
  }

  @Sse('agent/:agentId/connect', { method: RequestMethod.POST })
  @ApiParam(AGENT_ID)
  @ConnectEndpoint('Join a conversation, for CopilotKit')
  connect(@Req() request: WebRequest): Observable<MessageEvent> {
    return this.stream.follow(request);
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

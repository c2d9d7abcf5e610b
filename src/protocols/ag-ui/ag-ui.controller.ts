import {
  Controller,
  HttpCode,
  Param,
  Post,
  Req,
  RequestMethod,
  Sse,
  type MessageEvent,
} from '@nestjs/common';
import { ApiHeader, ApiParam, ApiTags } from '@nestjs/swagger';
import type { Observable } from 'rxjs';
import { z } from 'zod';
import { CurrentPrincipal } from '../../auth/authentication.js';
import { Endpoint } from '../../http/endpoint.decorator.js';
import type { WebRequest } from '../../http/web.exchange.js';
import type { Principal } from '../../principal.js';
import { ThreadRuns } from '../thread.runs.js';
import { AgUiConnectGuard, AgUiRunGuard } from './ag-ui.guards.js';
import { runInputSchema } from './ag-ui.input.js';
import { AgUiStream } from './ag-ui.stream.js';

/** An AG-UI event; https://docs.ag-ui.com has them all. */
export const agUiFrameSchema = z.looseObject({ type: z.string() }).meta({ id: 'AgUiEvent' });

export const stoppedSchema = z
  .object({ stopped: z.boolean().meta({ description: 'False when nothing went on.' }) })
  .meta({ id: 'AgUiStopped' });

export const RUN_PROBLEMS = [
  'AGENT_UNKNOWN',
  'NOT_FOUND',
  'THREAD_BUSY',
  'APPROVAL_PENDING',
  'APPROVAL_CLOSED',
  'IDEMPOTENCY_CONFLICT',
  'CURSOR_INVALID',
] as const;

/** The AG-UI protocol for `HttpAgent` of `@ag-ui/client`, and for TanStack AI, which comes back after a cut. */
@ApiTags('ag-ui')
@Controller()
export class AgUiController {
  constructor(
    private readonly stream: AgUiStream,
    private readonly threads: ThreadRuns,
  ) {}

  @Sse('', { method: RequestMethod.POST })
  @HttpCode(200)
  @ApiHeader({ name: 'Last-Event-ID', required: false, description: 'Goes on behind this frame.' })
  @Endpoint({
    summary: 'Run the default agent',
    description:
      'AG-UI events. A repeated `runId` joins the run that it started; answers in `resume` get the run that goes on.',
    answers: { status: 200, description: 'The run.', schema: agUiFrameSchema },
    accepts: runInputSchema,
    starts: true,
    streams: true,
    guards: [AgUiRunGuard],
    problems: RUN_PROBLEMS,
  })
  run(@Req() request: WebRequest): Observable<MessageEvent> {
    return this.stream.follow(request);
  }

  @Sse('connect', { method: RequestMethod.POST })
  @HttpCode(200)
  @Endpoint({
    summary: 'Join a conversation',
    description:
      'Its messages, then the run that goes on, to its end. Empty when there is no such conversation.',
    answers: { status: 200, description: 'A snapshot, then what follows.', schema: agUiFrameSchema },
    accepts: runInputSchema,
    streams: true,
    guards: [AgUiConnectGuard],
  })
  connect(@Req() request: WebRequest): Observable<MessageEvent> {
    return this.stream.follow(request);
  }

  @Post('stop/:threadId')
  @HttpCode(200)
  @ApiParam({ name: 'threadId', description: 'The conversation.' })
  @Endpoint({
    summary: "Stop a conversation's run",
    answers: { status: 200, description: 'Whether anything went on.', schema: stoppedSchema },
    problems: ['NOT_FOUND'],
  })
  async stop(
    @CurrentPrincipal() principal: Principal,
    @Param('threadId') threadId: string,
  ): Promise<z.output<typeof stoppedSchema>> {
    return { stopped: (await this.threads.stop(principal, threadId)) !== undefined };
  }
}

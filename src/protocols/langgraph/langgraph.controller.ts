import {
  Controller,
  Get,
  HttpCode,
  Param,
  Post,
  Req,
  RequestMethod,
  Res,
  Sse,
  type MessageEvent,
} from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import { takeUntil, type Observable } from 'rxjs';
import { z } from 'zod';
import { authOf, CurrentPrincipal, expiryOf } from '../../auth/authentication.js';
import { idSchema } from '../../chat/dto/start-run.dto.js';
import { Endpoint } from '../../http/endpoint.decorator.js';
import { SseStreams } from '../../http/sse.streams.js';
import { validate } from '../../http/validate.js';
import { rawResponse, type WebRequest, type WebResponse } from '../../http/web.exchange.js';
import type { Principal } from '../../principal.js';
import { hasEnded } from '../../runs/run.js';
import { RunService } from '../../runs/run.service.js';
import { currentRun, ThreadTranscripts } from '../transcript/thread.transcripts.js';
import { LangGraphCommands } from './langgraph.commands.js';
import { SubscriptionGuard } from './langgraph.guard.js';
import { commandSchema, questionIdOf, subscriptionSchema } from './langgraph.input.js';
import { toLangGraphMessage } from './langgraph.messages.js';
import { LangGraphStream } from './langgraph.stream.js';

const THREAD_ID = { name: 'threadId', description: "The conversation's id; the client mints it." };

const eventSchema = z
  .looseObject({ type: z.literal('event'), event_id: z.string(), seq: z.int(), method: z.string() })
  .meta({ id: 'LangGraphEvent' });

const answerSchema = z
  .looseObject({ type: z.enum(['success', 'error']), id: z.int() })
  .meta({ id: 'LangGraphAnswer' });

const stateSchema = z
  .object({
    values: z.object({ messages: z.array(z.looseObject({ type: z.string(), id: z.string() })) }),
    next: z.array(z.string()),
    tasks: z.array(z.unknown()),
    metadata: z.null(),
    created_at: z.string(),
    checkpoint: z.null(),
    parent_checkpoint: z.null(),
  })
  .meta({ id: 'LangGraphState' });

/** LangGraph's event protocol, version 2, for `useStream` of `@langchain/react` and `client.threads.stream()`. */
@ApiTags('langgraph')
@Controller()
export class LangGraphController {
  constructor(
    private readonly stream: LangGraphStream,
    private readonly commands: LangGraphCommands,
    private readonly transcripts: ThreadTranscripts,
    private readonly runs: RunService,
    private readonly streams: SseStreams,
  ) {}

  @Post('commands')
  @HttpCode(200)
  @ApiParam(THREAD_ID)
  @Endpoint({
    summary: 'Start a run, in LangGraph words',
    description: 'The method `run.start`. What cannot be done is answered with `type: error`.',
    answers: { status: 200, description: 'Done, or why not.', schema: answerSchema },
    accepts: commandSchema,
    starts: true,
  })
  async command(@Req() request: WebRequest, @Param('threadId') threadId: string): Promise<unknown> {
    const id = validate(idSchema, threadId, 'thread id');
    const command = validate(commandSchema, request.body, 'body');
    return this.commands.execute(authOf(request).principal, id, command);
  }

  @Sse('stream/events', { method: RequestMethod.POST })
  @HttpCode(200)
  @ApiParam(THREAD_ID)
  @Endpoint({
    summary: 'Follow a thread, in LangGraph words',
    description: 'The channels that the body names: the current run from its start, and every run after it.',
    answers: { status: 200, description: 'Events, until the client leaves.', schema: eventSchema },
    accepts: subscriptionSchema,
    streams: true,
    guards: [SubscriptionGuard],
  })
  events(
    @Req() request: WebRequest,
    @Res({ passthrough: true }) response: WebResponse,
    @Param('threadId') threadId: string,
  ): Observable<MessageEvent> {
    const { principal } = authOf(request);
    const subscription = validate(subscriptionSchema, request.body, 'body');
    const ready = () => this.streams.ready(rawResponse(response));
    return this.stream
      .follow({ principal, threadId, subscription, ready })
      .pipe(takeUntil(expiryOf(authOf(request))));
  }

  @Get('state')
  @ApiParam(THREAD_ID)
  @Endpoint({
    summary: 'What was said in a thread, in LangGraph words',
    description: 'While a run goes on: what was said before it, and its question.',
    answers: { status: 200, description: 'The state.', schema: stateSchema },
    problems: ['NOT_FOUND'],
  })
  async state(
    @CurrentPrincipal() principal: Principal,
    @Param('threadId') threadId: string,
  ): Promise<z.output<typeof stateSchema>> {
    const runs = await this.transcripts.runsOf(principal, threadId);
    const current = currentRun(runs);
    const goesOn = current !== undefined && !hasEnded(current);
    const over = goesOn ? runs.slice(0, runs.indexOf(current)) : runs;
    const transcript = await this.transcripts.read(over, questionIdOf);
    if (goesOn) transcript.ask(questionIdOf(current), current.message);
    return {
      values: { messages: transcript.entries.map(toLangGraphMessage) },
      next: goesOn ? [current.agent] : [],
      tasks: [],
      metadata: null,
      // A client passes over events from before this moment: they are in these values.
      created_at: new Date(over.at(-1)?.endedAt ?? 0).toISOString(),
      checkpoint: null,
      parent_checkpoint: null,
    };
  }

  @Post('history')
  @HttpCode(200)
  @ApiParam(THREAD_ID)
  @Endpoint({
    summary: 'Checkpoints, of which none are shown',
    answers: { status: 200, description: 'An empty list.', schema: z.array(z.unknown()) },
  })
  history(): unknown[] {
    return [];
  }

  @Post('runs/:runId/cancel')
  @HttpCode(202)
  @ApiParam(THREAD_ID)
  @ApiParam({ name: 'runId', description: "The run's id." })
  @Endpoint({
    summary: 'Stop a run, in LangGraph words',
    answers: { status: 202, description: 'It is being stopped.', schema: z.object({}) },
    problems: ['NOT_FOUND'],
  })
  async cancel(
    @CurrentPrincipal() principal: Principal,
    @Param('runId') runId: string,
  ): Promise<Record<string, never>> {
    await this.runs.cancel(principal, runId);
    return {};
  }
}

import {
  Controller,
  HttpCode,
  Param,
  Post,
  Req,
  RequestMethod,
  Res,
  Sse,
  type MessageEvent,
} from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Observable } from 'rxjs';
import { z } from 'zod';
import { authOf, untilExpiry } from '../../auth/authentication.js';
import { idSchema } from '../../chat/dto/start-run.dto.js';
import { Endpoint } from '../../http/endpoint.decorator.js';
import { SseStreams } from '../../http/sse.streams.js';
import { validate } from '../../http/validate.js';
import { rawResponse, type WebRequest, type WebResponse } from '../../http/web.exchange.js';
import { LangGraphCommands } from './langgraph.commands.js';
import { SubscriptionGuard } from './langgraph.guard.js';
import { commandSchema, subscriptionSchema } from './langgraph.input.js';
import { LangGraphStream } from './langgraph.stream.js';
import { THREAD_ID } from './run-stream.endpoints.js';

const eventSchema = z
  .looseObject({ type: z.literal('event'), event_id: z.string(), seq: z.int(), method: z.string() })
  .meta({ id: 'LangGraphEvent' });

const answerSchema = z
  .looseObject({ type: z.enum(['success', 'error']), id: z.int() })
  .meta({ id: 'LangGraphAnswer' });

/** LangGraph's event protocol, version 2, for `useStream` of `@langchain/react` and `client.threads.stream()`. */
@ApiTags('langgraph')
@Controller()
export class LangGraphController {
  constructor(
    private readonly stream: LangGraphStream,
    private readonly commands: LangGraphCommands,
    private readonly streams: SseStreams,
  ) {}

  @Post('commands')
  @HttpCode(200)
  @THREAD_ID
  @Endpoint({
    summary: 'Start a run, or answer what it asks, in LangGraph words',
    description:
      'The methods `run.start` and `input.respond`. What cannot be done is answered with `type: error`.',
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
  @THREAD_ID
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
      .pipe(untilExpiry(authOf(request)));
  }
}

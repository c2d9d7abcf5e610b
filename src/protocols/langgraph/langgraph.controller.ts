import { Controller, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { getAuthentication, untilExpiry } from '../../auth/authentication.js';
import { idSchema } from '../../streams/start-run.schemas.js';
import { replyWithEventStream } from '../../http/reply-with-event-stream.js';
import { SseStreams } from '../../http/sse-streams.js';
import { validate } from '../../http/validate.js';
import { rawResponse, type WebRequest, type WebResponse } from '../../http/http.types.js';
import { LangGraphEndpoint } from './langgraph-endpoint.decorator.js';
import { LangGraphCommands } from './langgraph-commands.js';
import { commandSchema } from './langgraph-input.js';
import { subscriptionSchema } from './langgraph-subscription.js';
import { LangGraphStream } from './langgraph-stream.js';
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
  @LangGraphEndpoint({
    summary: 'Start a run, or answer its interrupts (LangGraph)',
    description:
      'The methods `run.start` and `input.respond`. What cannot be done is answered with `type: error`.',
    reply: { status: 200, description: 'Done, or why not.', schema: answerSchema },
    accepts: commandSchema,
    starts: true,
  })
  async command(@Req() request: WebRequest, @Param('threadId') threadId: string): Promise<unknown> {
    const id = validate(idSchema, threadId, 'thread id');
    const command = validate(commandSchema, request.body, 'body');
    return this.commands.execute(getAuthentication(request).principal, id, command);
  }

  @Post('stream/events')
  @HttpCode(200)
  @THREAD_ID
  @LangGraphEndpoint({
    summary: 'Stream the events of a thread (LangGraph)',
    description: 'The channels that the body names: the current run from its start, and every run after it.',
    reply: { status: 200, description: 'Events, until the client leaves.', schema: eventSchema },
    accepts: subscriptionSchema,
    streams: true,
  })
  async events(
    @Req() request: WebRequest,
    @Res() response: WebResponse,
    @Param('threadId') threadId: string,
  ): Promise<void> {
    const { principal } = getAuthentication(request);
    const subscription = validate(subscriptionSchema, request.body, 'body');
    const raw = rawResponse(response);
    const ready = () => this.streams.ready(raw);
    const frames = this.stream
      .follow({ principal, threadId, subscription, ready })
      .pipe(untilExpiry(getAuthentication(request)));
    await replyWithEventStream(this.streams, response, frames);
  }
}

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
import { ApiParam, ApiQuery, ApiTags } from '@nestjs/swagger';
import type { Observable } from 'rxjs';
import { CurrentPrincipal } from '../../auth/authentication.js';
import { Reader, type RunReader } from '../../chat/run-reader.js';
import { START_PROBLEMS } from '../../chat/start.problems.js';
import { Endpoint } from '../../http/endpoint.decorator.js';
import type { WebRequest } from '../../http/web.exchange.js';
import type { Principal } from '../../principal.js';
import { ProtocolStreams } from '../protocol.streams.js';
import { ThreadRuns } from '../thread.runs.js';
import { UnnamedFrame } from '../unnamed.frame.js';
import { askBodySchema } from './ai-sdk.dto.js';
import { ActiveRunGuard, AskGuard, mapperOf } from './ai-sdk.guards.js';

const CHAT_ID = { name: 'chatId', description: "The chat's id, as the client minted it." };

/** For the AI SDK's `DefaultChatTransport` and what is built on it, with `api` set to `…/ai-sdk/chat`. */
@ApiTags('protocols: AI SDK')
@Controller()
export class AiSdkController {
  constructor(
    private readonly streams: ProtocolStreams,
    private readonly runs: ThreadRuns,
  ) {}

  @Sse('chat', { method: RequestMethod.POST })
  @HttpCode(200)
  @Endpoint({
    summary: 'Ask in a chat of the AI SDK, and watch the answer',
    description:
      'A last message of the assistant with answers to approvals gives these; the stream is what goes on with them.',
    answers: { status: 200, description: 'A UI message stream, version 1.' },
    accepts: askBodySchema,
    starts: true,
    streams: true,
    guards: [AskGuard],
    problems: [...START_PROBLEMS, 'APPROVAL_CLOSED'],
  })
  ask(@Reader() reader: RunReader, @Req() request: WebRequest): Observable<MessageEvent> {
    return this.watch(reader, request);
  }

  @Sse('chat/:chatId/stream')
  @ApiParam(CHAT_ID)
  @ApiQuery({
    name: 'after',
    required: false,
    description:
      'The run of the last answer that you have whole, or empty. A run that has ended since is shown, too.',
  })
  @Endpoint({
    summary: "Watch a chat's run again",
    description: 'From its first event. 204 when no run goes on.',
    answers: { status: 200, description: 'A UI message stream, version 1.' },
    streams: true,
    guards: [ActiveRunGuard],
  })
  resume(@Reader() reader: RunReader, @Req() request: WebRequest): Observable<MessageEvent> {
    return this.watch(reader, request);
  }

  @Post('chat/:chatId/stop')
  @HttpCode(204)
  @ApiParam(CHAT_ID)
  @Endpoint({
    summary: "Stop a chat's run",
    description: 'A client that leaves does not stop it. Harmless when nothing goes on.',
    answers: { status: 204, description: 'It stops.' },
    problems: ['NOT_FOUND'],
  })
  async stop(@CurrentPrincipal() principal: Principal, @Param('chatId') chatId: string): Promise<void> {
    await this.runs.stop(principal, chatId);
  }

  private watch(reader: RunReader, request: WebRequest): Observable<MessageEvent> {
    reader.response.setHeader('x-vercel-ai-ui-message-stream', 'v1');
    return this.streams.follow(request, reader, {
      mapper: mapperOf(request),
      frame: (chunk, id) => new UnnamedFrame(id, JSON.stringify(chunk)),
      // The AI SDK does without it; other readers of this stream wait for it.
      closing: (id) => new UnnamedFrame(id, '[DONE]'),
    });
  }
}

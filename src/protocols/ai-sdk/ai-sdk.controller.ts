import { Controller, Get, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ApiParam, ApiQuery, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal } from '../../auth/authentication.js';
import { Endpoint } from '../../http/endpoint.decorator.js';
import { replyWithEventStream } from '../../http/reply-with-event-stream.js';
import { replyWithJson } from '../../http/reply-with-json.js';
import { SseStreams } from '../../http/sse-streams.js';
import { rawResponse, type WebRequest, type WebResponse } from '../../http/http.types.js';
import type { Principal } from '../../principal.js';
import { readFromStart } from '../../streams/run-reader.js';
import { START_PROBLEMS } from '../../streams/start-problems.js';
import { ProtocolStreams, type HttpExchange } from '../protocol-streams.js';
import { ThreadRuns } from '../thread-runs.js';
import { UnnamedFrame } from '../unnamed-frame.js';
import { AiSdkChats, type AiSdkView } from './ai-sdk-chat.service.js';
import { askBodySchema } from './ai-sdk.dto.js';

const CHAT_ID = { name: 'chatId', description: "The chat's id, as the client minted it." };

/** For the AI SDK's `DefaultChatTransport` and what is built on it, with `api` set to `…/ai-sdk/chat`. */
@ApiTags('protocols: AI SDK')
@Controller()
export class AiSdkController {
  constructor(
    private readonly chats: AiSdkChats,
    private readonly runs: ThreadRuns,
    private readonly protocol: ProtocolStreams,
    private readonly streams: SseStreams,
    private readonly adapter: HttpAdapterHost,
  ) {}

  @Post('chat')
  @HttpCode(200)
  @Endpoint({
    summary: 'Send a message in an AI SDK chat and stream the answer',
    description:
      'A last message of the assistant with answers to inputs gives these; the stream is what goes on with them.',
    reply: { status: 200, description: 'A UI message stream, version 1.' },
    accepts: askBodySchema,
    starts: true,
    streams: true,
    problems: [...START_PROBLEMS, 'INPUT_CLOSED'],
  })
  async ask(@Req() request: WebRequest, @Res() response: WebResponse): Promise<void> {
    const view = await this.chats.ask(request);
    await this.stream({ request, response }, view);
  }

  @Get('chat/:chatId/stream')
  @ApiParam(CHAT_ID)
  @ApiQuery({
    name: 'after',
    required: false,
    description:
      'The run of the last answer that you have whole, or empty. A run that has ended since is shown, too.',
  })
  @Endpoint({
    summary: "Resume the stream of a chat's run",
    description: 'From its first event. 204 when no run goes on.',
    reply: { status: 200, description: 'A UI message stream, version 1.' },
    streams: true,
    reads: true,
  })
  async resume(
    @Req() request: WebRequest,
    @Res() response: WebResponse,
    @CurrentPrincipal() principal: Principal,
    @Param('chatId') chatId: string,
  ): Promise<void> {
    const view = await this.chats.resume(principal, chatId, request.query['after']);
    if (!view) return replyWithJson(this.adapter, response, undefined);
    await this.stream({ request, response }, view);
  }

  @Post('chat/:chatId/stop')
  @HttpCode(204)
  @ApiParam(CHAT_ID)
  @Endpoint({
    summary: "Cancel a chat's run",
    description: 'A client that leaves does not stop it. Harmless when nothing goes on.',
    reply: { status: 204, description: 'It stops.' },
    problems: ['NOT_FOUND'],
  })
  async stop(@CurrentPrincipal() principal: Principal, @Param('chatId') chatId: string): Promise<void> {
    await this.runs.stop(principal, chatId);
  }

  private async stream(exchange: HttpExchange, { run, mapper }: AiSdkView): Promise<void> {
    const { response } = exchange;
    rawResponse(response).setHeader('x-vercel-ai-ui-message-stream', 'v1');
    const frames = this.protocol.follow(exchange, readFromStart(run), {
      mapper,
      frame: (chunk, id) => new UnnamedFrame(id, JSON.stringify(chunk)),
      // The AI SDK does without it; other readers of this stream wait for it.
      closing: (id) => new UnnamedFrame(id, '[DONE]'),
    });
    await replyWithEventStream(this.streams, response, frames);
  }
}

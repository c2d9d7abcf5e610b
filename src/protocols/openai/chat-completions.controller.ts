import { Controller, HttpCode, Req, RequestMethod, Sse, UseFilters, type MessageEvent } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Observable } from 'rxjs';
import { Reader, type RunReader } from '../../chat/run-reader.js';
import { Endpoint } from '../../http/endpoint.decorator.js';
import { validate } from '../../http/validate.js';
import type { WebRequest } from '../../http/web.exchange.js';
import { ProtocolStreams } from '../protocol.streams.js';
import { UnnamedFrame } from '../unnamed.frame.js';
import { completionFactsOf } from './chat-completion.js';
import { createChatCompletionsMapper } from './chat-completions.mapper.js';
import { chatCompletionSchema } from './openai.dto.js';
import { OpenAiFilter } from './openai.filter.js';
import { ChatCompletionGuard } from './openai.guards.js';

/** OpenAI's Chat Completions: agents in the place of models. */
@ApiTags('protocols: OpenAI')
@Controller()
export class ChatCompletionsController {
  constructor(private readonly streams: ProtocolStreams) {}

  @Sse('', { method: RequestMethod.POST })
  @HttpCode(200)
  @UseFilters(OpenAiFilter)
  @Endpoint({
    summary: 'Ask, with a conversation that the client keeps',
    description:
      'With `stream`, chunks; without, one completion. Leaving stops the run: nobody could come back for it.',
    answers: { status: 200, description: 'Chat completion chunks, or a chat completion.' },
    accepts: chatCompletionSchema.in,
    starts: true,
    streams: true,
    guards: [ChatCompletionGuard],
    problems: ['AGENT_UNKNOWN', 'IDEMPOTENCY_CONFLICT'],
  })
  create(@Reader() reader: RunReader, @Req() request: WebRequest): Observable<MessageEvent> {
    const { includeUsage } = validate(chatCompletionSchema, request.body, 'body');
    return this.streams.follow(request, reader, {
      mapper: createChatCompletionsMapper(completionFactsOf(reader.run), { includeUsage }),
      frame: (chunk, id) => new UnnamedFrame(id, JSON.stringify(chunk)),
      closing: (id) => new UnnamedFrame(id, '[DONE]'),
    });
  }
}

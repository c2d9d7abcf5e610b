import { FileAddresses } from '../../streams/file-addresses.js';
import { Controller, HttpCode, Post, Req, Res, UseFilters } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ApiTags } from '@nestjs/swagger';
import { Endpoint } from '../../http/endpoint.decorator.js';
import { replyWithEventStream } from '../../http/reply-with-event-stream.js';
import { replyWithJson } from '../../http/reply-with-json.js';
import { SseStreams } from '../../http/sse-streams.js';
import { validate } from '../../http/validate.js';
import type { WebRequest, WebResponse } from '../../http/http.types.js';
import type { Run } from '../../runs/run.js';
import { readFromStart } from '../../streams/run-reader.js';
import { ProtocolStreams } from '../protocol-streams.js';
import { ThreadRuns } from '../thread-runs.js';
import { UnnamedFrame } from '../unnamed-frame.js';
import { toCompletionFacts, toCompletion, type Completion } from './chat-completion.js';
import {
  createChatCompletionsMapper,
  type CompletionChunk,
  type CompletionError,
} from './chat-completions.mapper.js';
import { chatCompletionSchema } from './openai.dto.js';
import { OpenAiFilter } from './openai.filter.js';
import { OpenAiRuns } from './openai-runs.js';

/** OpenAI's Chat Completions: agents in the place of models. */
@ApiTags('protocols: OpenAI')
@Controller()
export class ChatCompletionsController {
  constructor(
    private readonly threads: ThreadRuns,
    private readonly runs: OpenAiRuns,
    private readonly protocol: ProtocolStreams,
    private readonly streams: SseStreams,
    private readonly adapter: HttpAdapterHost,
    private readonly files: FileAddresses,
  ) {}

  @Post()
  @HttpCode(200)
  @UseFilters(OpenAiFilter)
  @Endpoint({
    summary: 'Create a chat completion (OpenAI)',
    description:
      'With `stream`, chunks; without, one completion. Leaving stops the run, because it could not be resumed.',
    reply: { status: 200, description: 'Chat completion chunks, or a chat completion.' },
    accepts: chatCompletionSchema.in,
    starts: true,
    streams: true,
    problems: ['AGENT_UNKNOWN', 'IDEMPOTENCY_CONFLICT'],
  })
  async create(@Req() request: WebRequest, @Res() response: WebResponse): Promise<void> {
    const { start, stream, includeUsage } = validate(chatCompletionSchema, request.body, 'body');
    const run = await this.threads.start(request, start);
    this.threads.stopWithClient(run, response);
    if (!stream) return replyWithJson(this.adapter, response, await this.complete(run, response));
    const frames = this.protocol.follow({ request, response }, readFromStart(run), {
      mapper: createChatCompletionsMapper(toCompletionFacts(run), {
        includeUsage,
        toAddress: this.files.toAddress,
      }),
      frame: (chunk, id) => new UnnamedFrame(id, JSON.stringify(chunk)),
      closing: (id) => new UnnamedFrame(id, '[DONE]'),
    });
    await replyWithEventStream(this.streams, response, frames);
  }

  private async complete(run: Run, response: WebResponse): Promise<Completion> {
    const facts = toCompletionFacts(run);
    const mapper = createChatCompletionsMapper(facts, {
      includeUsage: true,
      toAddress: this.files.toAddress,
    });
    const chunks: (CompletionChunk | CompletionError)[] = [];
    await this.protocol.watch(run, response, (recorded) => chunks.push(...mapper(recorded)));
    return toCompletion(facts, chunks);
  }
}

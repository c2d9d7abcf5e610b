import { Controller, Get, HttpCode, Param, Post, Query, Req, Res, UseFilters } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { CurrentPrincipal } from '../../auth/authentication.js';
import { Endpoint } from '../../http/endpoint.decorator.js';
import { Frame } from '../../http/frame.js';
import { replyWithEventStream } from '../../http/reply-with-event-stream.js';
import { replyWithJson } from '../../http/reply-with-json.js';
import { SseStreams } from '../../http/sse-streams.js';
import { SchemaPipe, validate } from '../../http/validate.js';
import type { WebRequest, WebResponse } from '../../http/http.types.js';
import type { Principal } from '../../principal.js';
import type { Run } from '../../runs/run.js';
import { readFromStart } from '../../streams/run-reader.js';
import { START_PROBLEMS } from '../../streams/start-problems.js';
import { ProtocolStreams, type HttpExchange } from '../protocol-streams.js';
import { ThreadRuns } from '../thread-runs.js';
import { responseSchema, retrieveQuerySchema } from './openai.dto.js';
import { OpenAiFilter } from './openai.filter.js';
import { OpenAiRuns } from './openai-runs.js';
import type { ResponsesMapper } from './responses.mapper.js';
import type { ResponseObject } from './responses.types.js';

const RESPONSE_ID = { name: 'responseId', description: '`resp_` and the id of the run.' };

/** OpenAI's Responses: agents in the place of models, threads in the place of conversations. */
@ApiTags('protocols: OpenAI')
@Controller()
export class ResponsesController {
  constructor(
    private readonly runs: OpenAiRuns,
    private readonly threads: ThreadRuns,
    private readonly protocol: ProtocolStreams,
    private readonly streams: SseStreams,
    private readonly adapter: HttpAdapterHost,
  ) {}

  @Post()
  @HttpCode(200)
  @UseFilters(OpenAiFilter)
  @Endpoint({
    summary: 'Create a response (OpenAI)',
    description:
      'With `background` the run goes on when the client leaves, and without `stream` it is answered at once.',
    reply: { status: 200, description: 'The events of a response, or a response.' },
    accepts: responseSchema.in,
    starts: true,
    streams: true,
    problems: [...START_PROBLEMS, 'INPUT_CLOSED'],
  })
  async create(@Req() request: WebRequest, @Res() response: WebResponse): Promise<void> {
    const body = validate(responseSchema, request.body, 'body');
    const run = await this.runs.start(request, body);
    if (!body.background) this.threads.stopWithClient(run, response);
    const mapper = await this.runs.createMapper(run);
    if (body.stream) return this.stream({ request, response }, run, mapper);
    if (!body.background) await this.protocol.watch(run, response, mapper.map);
    replyWithJson(this.adapter, response, mapper.response);
  }

  @Get(':responseId')
  @ApiParam(RESPONSE_ID)
  @UseFilters(OpenAiFilter)
  @Endpoint({
    summary: 'Get a response, or stream its events (OpenAI)',
    description: 'With `stream=true` its events, those with a number above `starting_after`.',
    reply: { status: 200, description: 'The events of a response, or a response.' },
    query: retrieveQuerySchema,
    streams: true,
    reads: true,
    problems: ['NOT_FOUND'],
  })
  async retrieve(
    @Req() request: WebRequest,
    @Res() response: WebResponse,
    @CurrentPrincipal() principal: Principal,
    @Param('responseId') responseId: string,
    @Query(new SchemaPipe(retrieveQuerySchema)) query: z.output<typeof retrieveQuerySchema>,
  ): Promise<void> {
    const run = await this.runs.find(principal, responseId);
    if (query.stream !== 'true') return replyWithJson(this.adapter, response, await this.runs.response(run));
    await this.stream({ request, response }, run, await this.runs.createMapper(run), query.starting_after);
  }

  @Post(':responseId/cancel')
  @HttpCode(200)
  @ApiParam(RESPONSE_ID)
  @UseFilters(OpenAiFilter)
  @Endpoint({
    summary: 'Cancel a response (OpenAI)',
    reply: { status: 200, description: 'The response, with what it had said.' },
    problems: ['NOT_FOUND'],
  })
  cancel(
    @CurrentPrincipal() principal: Principal,
    @Param('responseId') responseId: string,
  ): Promise<ResponseObject> {
    return this.runs.cancel(principal, responseId);
  }

  /** All events are mapped, whichever are sent: their numbers count those before them. */
  private async stream(
    exchange: HttpExchange,
    run: Run,
    mapper: ResponsesMapper,
    startingAfter = -1,
  ): Promise<void> {
    const frames = this.protocol.follow(exchange, readFromStart(run), {
      mapper: (recorded) => mapper.map(recorded).filter((event) => event.sequence_number > startingAfter),
      frame: (event, id) => new Frame(id, event.type, JSON.stringify(event)),
    });
    await replyWithEventStream(this.streams, exchange.response, frames);
  }
}

import {
  Controller,
  HttpCode,
  Param,
  Post,
  Query,
  Req,
  RequestMethod,
  Sse,
  UseFilters,
  type MessageEvent,
} from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import type { Observable } from 'rxjs';
import type { z } from 'zod';
import { CurrentPrincipal } from '../../auth/authentication.js';
import { Reader, type RunReader } from '../../chat/run-reader.js';
import { START_PROBLEMS } from '../../chat/start.problems.js';
import { Endpoint } from '../../http/endpoint.decorator.js';
import { Frame } from '../../http/frame.js';
import type { WebRequest } from '../../http/web.exchange.js';
import type { Principal } from '../../principal.js';
import { ProtocolStreams } from '../protocol.streams.js';
import { responseSchema, retrieveQuerySchema } from './openai.dto.js';
import { OpenAiFilter } from './openai.filter.js';
import { CreateResponseGuard, mapperOf, RetrieveResponseGuard } from './openai.guards.js';
import { OpenAiRuns } from './openai.runs.js';
import type { ResponseObject } from './responses.types.js';

const RESPONSE_ID = { name: 'responseId', description: '`resp_` and the id of the run.' };

/** OpenAI's Responses: agents in the place of models, threads in the place of conversations. */
@ApiTags('protocols: OpenAI')
@Controller()
export class ResponsesController {
  constructor(
    private readonly streams: ProtocolStreams,
    private readonly runs: OpenAiRuns,
  ) {}

  @Sse('', { method: RequestMethod.POST })
  @HttpCode(200)
  @UseFilters(OpenAiFilter)
  @Endpoint({
    summary: 'Ask for a response',
    description:
      'With `background` the run goes on when the client leaves, and without `stream` it is answered at once.',
    answers: { status: 200, description: 'The events of a response, or a response.' },
    accepts: responseSchema.in,
    starts: true,
    streams: true,
    guards: [CreateResponseGuard],
    problems: [...START_PROBLEMS, 'APPROVAL_CLOSED'],
  })
  create(@Reader() reader: RunReader, @Req() request: WebRequest): Observable<MessageEvent> {
    return this.watch(reader, request, -1);
  }

  @Sse(':responseId')
  @ApiParam(RESPONSE_ID)
  @UseFilters(OpenAiFilter)
  @Endpoint({
    summary: 'A response as it stands, or its events',
    description: 'With `stream=true` its events, those with a number above `starting_after`.',
    answers: { status: 200, description: 'The events of a response, or a response.' },
    streams: true,
    guards: [RetrieveResponseGuard],
    problems: ['NOT_FOUND'],
  })
  retrieve(
    @Reader() reader: RunReader,
    @Req() request: WebRequest,
    @Query({ schema: retrieveQuerySchema }) { starting_after = -1 }: z.output<typeof retrieveQuerySchema>,
  ): Observable<MessageEvent> {
    return this.watch(reader, request, starting_after);
  }

  @Post(':responseId/cancel')
  @HttpCode(200)
  @ApiParam(RESPONSE_ID)
  @UseFilters(OpenAiFilter)
  @Endpoint({
    summary: 'Stop a response',
    answers: { status: 200, description: 'The response, with what it had said.' },
    problems: ['NOT_FOUND'],
  })
  cancel(
    @CurrentPrincipal() principal: Principal,
    @Param('responseId') responseId: string,
  ): Promise<ResponseObject> {
    return this.runs.cancel(principal, responseId);
  }

  /** All events are mapped, whichever are sent: their numbers count those before them. */
  private watch(reader: RunReader, request: WebRequest, startingAfter: number): Observable<MessageEvent> {
    const mapper = mapperOf(request);
    return this.streams.follow(request, reader, {
      mapper: (recorded) => mapper.map(recorded).filter((event) => event.sequence_number > startingAfter),
      frame: (event, id) => new Frame(id, event.type, JSON.stringify(event)),
    });
  }
}

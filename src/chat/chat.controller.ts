import { Controller, Get, HttpCode, Post, Req, RequestMethod, Sse, type MessageEvent } from '@nestjs/common';
import { ApiHeader, ApiParam, ApiQuery, ApiTags } from '@nestjs/swagger';
import { concat, EMPTY, map, of, takeUntil, type Observable } from 'rxjs';
import { AcceptsTicket } from '../auth/accepts-ticket.decorator.js';
import { authOf, CurrentPrincipal, expiryOf } from '../auth/authentication.js';
import { StreamTicketService } from '../auth/stream-ticket.service.js';
import { Endpoint } from '../http/endpoint.decorator.js';
import { SseStreams } from '../http/sse.streams.js';
import type { WebRequest } from '../http/web.exchange.js';
import type { Principal } from '../principal.js';
import { hasEnded } from '../runs/run.js';
import { RunFeed } from '../runs/run.feed.js';
import { RunService } from '../runs/run.service.js';
import { readyFrame, resetFrame, toFrame } from './chat.frames.js';
import { eventsUrlOf } from './chat.urls.js';
import { runFrameSchema } from './dto/event.schemas.js';
import * as responses from './dto/responses.dto.js';
import { startRunSchema } from './dto/start-run.dto.js';
import { RunGuard, UnfinishedRunGuard } from './run.guard.js';
import { Reader, type RunReader } from './run-reader.js';
import { StartRunGuard } from './start-run.guard.js';

const RUN_ID = { name: 'runId', description: "The run's id." };
const LAST_EVENT_ID = {
  name: 'Last-Event-ID',
  required: false,
  description: 'The last frame you have; EventSource sends it.',
};
const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  required: false,
  description: 'The same key finds the same run.',
};

/** Why a question is not taken. */
const START_PROBLEMS = [
  'REQUEST_TOO_LARGE',
  'AGENT_UNKNOWN',
  'NOT_FOUND',
  'THREAD_BUSY',
  'IDEMPOTENCY_CONFLICT',
  'CURSOR_INVALID',
] as const;

/** A browser that lost its stream comes back after this long, and up to as long again: not all in the same moment. */
const RETRY_MS = 1_000;

/**
 * The front door: ask, and watch the answer. What is refused is refused before the stream, by the guards; from the first
 * frame on, a failure is an event. Whether anybody watches makes no difference to a run.
 */
@ApiTags('chat')
@Controller()
export class ChatController {
  constructor(
    private readonly runs: RunService,
    private readonly feed: RunFeed,
    private readonly streams: SseStreams,
    private readonly tickets: StreamTicketService,
  ) {}

  @Sse('', { method: RequestMethod.POST })
  @HttpCode(200)
  @ApiHeader(IDEMPOTENCY_KEY)
  @ApiHeader(LAST_EVENT_ID)
  @Endpoint({
    summary: 'Ask, and watch the answer',
    description: 'Starts a run and streams it. `Location` names its event stream, for a reconnect with GET.',
    answers: {
      status: 200,
      description: 'The run, from its first event to its `end`.',
      schema: runFrameSchema,
    },
    accepts: startRunSchema,
    starts: true,
    streams: true,
    guards: [StartRunGuard],
    problems: START_PROBLEMS,
  })
  ask(@Reader() reader: RunReader, @Req() request: WebRequest): Observable<MessageEvent> {
    const url = eventsUrlOf(request, reader.run);
    reader.response.setHeader('Location', url).setHeader('Content-Location', url);
    return this.watch(reader, request);
  }

  @Sse('runs/:runId/events')
  @AcceptsTicket('runId')
  @ApiParam(RUN_ID)
  @ApiHeader(LAST_EVENT_ID)
  @ApiQuery({
    name: 'lastEventId',
    required: false,
    description: 'In place of the header, which a new EventSource cannot send.',
  })
  @ApiQuery({
    name: 'ticket',
    required: false,
    description: 'In place of credentials, which an EventSource cannot send.',
  })
  @Endpoint({
    summary: 'Watch a run',
    description: 'History after the cursor, then live. A finished run replays whole; past its end: 204.',
    answers: { status: 200, description: 'The events after the cursor.', schema: runFrameSchema },
    streams: true,
    guards: [RunGuard, UnfinishedRunGuard],
    problems: ['NOT_FOUND', 'CURSOR_INVALID'],
  })
  events(@Reader() reader: RunReader, @Req() request: WebRequest): Observable<MessageEvent> {
    return this.watch(reader, request);
  }

  @Post('runs')
  @HttpCode(202)
  @ApiHeader(IDEMPOTENCY_KEY)
  @Endpoint({
    summary: 'Ask, and watch later',
    answers: { status: 202, description: 'The run has been accepted.', schema: responses.runStartedSchema },
    accepts: startRunSchema,
    starts: true,
    guards: [StartRunGuard],
    problems: START_PROBLEMS,
  })
  start(@Reader() { run }: RunReader, @Req() request: WebRequest): responses.RunStartedDto {
    return { runId: run.id, threadId: run.threadId, eventsUrl: eventsUrlOf(request, run) };
  }

  @Get('runs/:runId')
  @ApiParam(RUN_ID)
  @Endpoint({
    summary: 'How a run stands',
    answers: { status: 200, description: 'The run.', schema: responses.runSchema },
    guards: [RunGuard],
    problems: ['NOT_FOUND'],
  })
  get(@Reader() { run }: RunReader): responses.RunDto {
    return responses.toRunDto(run);
  }

  @Post('runs/:runId/cancel')
  @HttpCode(202)
  @ApiParam(RUN_ID)
  @Endpoint({
    summary: 'Stop a run',
    description:
      'Reaches the model and the tools; what was said is kept, and the stream ends with `cancelled`.',
    answers: { status: 202, description: 'The run, as it stands now.', schema: responses.runSchema },
    guards: [RunGuard],
    problems: ['NOT_FOUND'],
  })
  async cancel(
    @CurrentPrincipal() principal: Principal,
    @Reader() { run }: RunReader,
  ): Promise<responses.RunDto> {
    return responses.toRunDto(await this.runs.cancel(principal, run.id));
  }

  @Post('runs/:runId/ticket')
  @HttpCode(200)
  @ApiParam(RUN_ID)
  @Endpoint({
    summary: 'A ticket for an EventSource',
    description:
      'For clients with neither a cookie nor a way to send headers. Good for this run only, for some minutes.',
    answers: { status: 200, description: 'The ticket, and the URL with it.', schema: responses.ticketSchema },
    guards: [RunGuard],
    problems: ['NOT_FOUND'],
  })
  async ticket(@Reader() { run }: RunReader, @Req() request: WebRequest): Promise<responses.TicketDto> {
    const { ticket, expiresAt } = await this.tickets.issue(authOf(request), run.id);
    return {
      ticket,
      expiresAt,
      eventsUrl: `${eventsUrlOf(request, run)}?ticket=${encodeURIComponent(ticket)}`,
    };
  }

  /** The run's events after the reader's cursor, as frames; until its end, or until the reader's credentials end. */
  private watch({ run, cursor, reset, response }: RunReader, request: WebRequest): Observable<MessageEvent> {
    const retryMs = Math.round(RETRY_MS * (1 + Math.random()));
    const opening = [readyFrame(run, cursor, retryMs), ...(reset ? [resetFrame(run, reset)] : [])];
    const afterSeq = Math.max(cursor.seq, run.firstSeq - 1);
    const ready = () => this.streams.ready(response);
    // A repeated POST may be past the end, and takes a 204 for an error; of an expired log there may be nothing left.
    const nothingMore = hasEnded(run) && afterSeq >= run.lastSeq;
    const events = nothingMore ? EMPTY : this.feed.follow({ runId: run.id, afterSeq: cursor.seq, ready });
    return concat(of(...opening), events.pipe(map(toFrame))).pipe(takeUntil(expiryOf(authOf(request))));
  }
}

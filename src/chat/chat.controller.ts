import {
  Body,
  Controller,
  Get,
  Head,
  Param,
  Post,
  Query,
  Req,
  RequestMethod,
  Res,
  Sse,
  type MessageEvent,
} from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Observable } from 'rxjs';
import { getAuthentication, CurrentPrincipal, untilExpiry } from '../auth/authentication.js';
import { TicketService } from '../auth/ticket.service.js';
import type { Frame } from '../http/frame.js';
import { SchemaPipe } from '../http/validate.js';
import { NoMoreEvents } from '../http/problem.filter.js';
import { replyWithEventStream } from '../http/reply-with-event-stream.js';
import { SseStreams } from '../http/sse-streams.js';
import { rawResponse, type WebRequest, type WebResponse } from '../http/http.types.js';
import type { Principal } from '../principal.js';
import { EventLog } from '../runs/event-log.js';
import { InputService } from '../runs/input.service.js';
import { hasEnded, type Run } from '../runs/run.js';
import { RunFeed } from '../runs/run.feed.js';
import { RunService } from '../runs/run.service.js';
import { answerSchema, type DecisionDto } from '../streams/input-answer.schema.js';
import { readRunQuery, runQuerySchema, type RunQueryDto } from '../streams/run-list.schemas.js';
import { readRunLog, runLogQuerySchema, type RunLogQueryDto } from '../streams/run-log.js';
import { hasEverything, type RunReader } from '../streams/run-reader.js';
import {
  AnswerEndpoint,
  AskEndpoint,
  CancelEndpoint,
  EventsEndpoint,
  EventsHeadEndpoint,
  RunEndpoint,
  RunLogEndpoint,
  RunsEndpoint,
  StartEndpoint,
  TicketEndpoint,
} from './chat.endpoints.js';
import { readyFrame, resetFrame, toFrame } from './chat-frames.js';
import { toEventsUrl } from './chat-urls.js';
import {
  toListedRunDto,
  toRunDto,
  type DecisionResultDto,
  type RunDto,
  type RunPageDto,
  type RunStartedDto,
  type TicketDto,
} from './dto/responses.dto.js';
import { RunReaders } from './run-readers.service.js';

/** A browser that lost its stream comes back after this long, and up to as long again: not all in the same moment. */
const RETRY_MS = 1_000;

/**
 * The front door: ask, and watch the answer. A handler checks, calls a service and replies; whatever it refuses has its status,
 * because the stream begins with its first frame. From then on a failure is an event. Whether anybody watches makes no
 * difference to a run.
 */
@ApiTags('chat')
@Controller()
export class ChatController {
  constructor(
    private readonly runs: RunService,
    private readonly readers: RunReaders,
    private readonly feed: RunFeed,
    private readonly streams: SseStreams,
    private readonly tickets: TicketService,
    private readonly inputs: InputService,
    private readonly log: EventLog,
  ) {}

  @Sse('', { method: RequestMethod.POST })
  @AskEndpoint()
  async start(
    @Req() request: WebRequest,
    @Res({ passthrough: true }) response: WebResponse,
  ): Promise<Observable<MessageEvent>> {
    const reader = await this.readers.start(request);
    const url = toEventsUrl(request, reader.run);
    rawResponse(response).setHeader('Location', url).setHeader('Content-Location', url);
    return this.watch(reader, request, response);
  }

  /** Before the route of the GET, or that would get it: Nest ends a HEAD under `@Sse` before its handler has decided anything. */
  @Head('runs/:runId/events')
  @EventsHeadEndpoint()
  async eventsHead(
    @Req() request: WebRequest,
    @Res() response: WebResponse,
    @Param('runId') runId: string,
  ): Promise<void> {
    await replyWithEventStream(this.streams, response, await this.resume(runId, request, response));
  }

  @Sse('runs/:runId/events')
  @EventsEndpoint()
  async events(
    @Req() request: WebRequest,
    @Res({ passthrough: true }) response: WebResponse,
    @Param('runId') runId: string,
  ): Promise<Observable<MessageEvent>> {
    return this.resume(runId, request, response);
  }

  @Post('runs')
  @StartEndpoint()
  async startDetached(@Req() request: WebRequest): Promise<RunStartedDto> {
    const { run } = await this.readers.start(request);
    return toRunStartedDto(request, run);
  }

  @Get('runs')
  @RunsEndpoint()
  async list(
    @CurrentPrincipal() principal: Principal,
    @Query(new SchemaPipe(runQuerySchema)) query: RunQueryDto,
  ): Promise<RunPageDto> {
    const { filter, page } = readRunQuery(query);
    const { items, nextCursor } = await this.runs.list(principal, filter, page);
    return { items: items.map(toListedRunDto), ...(nextCursor && { nextCursor }) };
  }

  @Get('runs/:runId')
  @RunEndpoint()
  async get(@CurrentPrincipal() principal: Principal, @Param('runId') runId: string): Promise<RunDto> {
    return toRunDto(await this.runs.get(principal, runId));
  }

  @Get('runs/:runId/log')
  @RunLogEndpoint()
  async runLog(
    @CurrentPrincipal() principal: Principal,
    @Param('runId') runId: string,
    @Query(new SchemaPipe(runLogQuerySchema)) query: RunLogQueryDto,
  ): Promise<string> {
    return readRunLog(await this.runs.get(principal, runId), this.log, query);
  }

  @Post('runs/:runId/cancel')
  @CancelEndpoint()
  async cancel(@CurrentPrincipal() principal: Principal, @Param('runId') runId: string): Promise<RunDto> {
    return toRunDto(await this.runs.cancel(principal, runId));
  }

  @Post('runs/:runId/inputs/:inputId')
  @AnswerEndpoint()
  async decide(
    @CurrentPrincipal() principal: Principal,
    @Param('runId') runId: string,
    @Param('inputId') inputId: string,
    @Body(new SchemaPipe(answerSchema)) decision: DecisionDto,
    @Req() request: WebRequest,
  ): Promise<DecisionResultDto> {
    const { run, continuedBy } = await this.inputs.answer(principal, runId, { [inputId]: decision });
    return { run: toRunDto(run), ...(continuedBy && { continuedBy: toRunStartedDto(request, continuedBy) }) };
  }

  @Post('runs/:runId/ticket')
  @TicketEndpoint()
  async ticket(@Req() request: WebRequest, @Param('runId') runId: string): Promise<TicketDto> {
    const authentication = getAuthentication(request);
    const run = await this.runs.get(authentication.principal, runId);
    const { ticket, expiresAt } = await this.tickets.issue(authentication, {
      kind: 'run-events',
      id: run.id,
    });
    const url = `${toEventsUrl(request, run)}?ticket=${encodeURIComponent(ticket)}`;
    return { ticket, expiresAt, eventsUrl: url };
  }

  private async resume(
    runId: string,
    request: WebRequest,
    response: WebResponse,
  ): Promise<Observable<Frame>> {
    const reader = await this.readers.find(request, runId);
    if (hasEverything(reader)) throw new NoMoreEvents();
    return this.watch(reader, request, response);
  }

  /** The run's events after the reader's cursor, as frames; until its end, or until the reader's credentials end. */
  private watch(
    { run, cursor, reset }: RunReader,
    request: WebRequest,
    response: WebResponse,
  ): Observable<Frame> {
    const retryMs = Math.round(RETRY_MS * (1 + Math.random()));
    const raw = rawResponse(response);
    const ready = () => this.streams.ready(raw);
    // A repeated POST may be past the end, and takes a 204 for an error; of an expired log there may be nothing left.
    const nothingMore = hasEnded(run) && Math.max(cursor.seq, run.firstSeq - 1) >= run.lastSeq;
    const { seq: afterSeq, epoch: afterEpoch } = cursor;

    const frames = new Observable<Frame>((subscriber) => {
      subscriber.next(readyFrame(run, cursor, retryMs));
      if (reset) subscriber.next(resetFrame(run, reset));
      if (nothingMore) return subscriber.complete();
      return this.feed.follow({ runId: run.id, record: run, afterSeq, afterEpoch, ready }).subscribe({
        next: (recorded) => subscriber.next(toFrame(recorded)),
        error: (error: unknown) => subscriber.error(error),
        complete: () => subscriber.complete(),
      });
    });
    return frames.pipe(untilExpiry(getAuthentication(request)));
  }
}

function toRunStartedDto(request: WebRequest, run: Run): RunStartedDto {
  return { runId: run.id, threadId: run.threadId, eventsUrl: toEventsUrl(request, run) };
}

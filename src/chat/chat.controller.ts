import {
  Body,
  Controller,
  Get,
  Param,
  Post,
  Req,
  RequestMethod,
  Sse,
  type MessageEvent,
} from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Observable } from 'rxjs';
import { authOf, CurrentPrincipal, untilExpiry } from '../auth/authentication.js';
import { StreamTicketService } from '../auth/stream-ticket.service.js';
import { SseStreams } from '../http/sse.streams.js';
import type { WebRequest } from '../http/web.exchange.js';
import type { Principal } from '../principal.js';
import { ApprovalService } from '../runs/approval.service.js';
import { hasEnded, type Run } from '../runs/run.js';
import { RunFeed } from '../runs/run.feed.js';
import { RunService } from '../runs/run.service.js';
import {
  AnswerEndpoint,
  AskEndpoint,
  CancelEndpoint,
  EventsEndpoint,
  RunEndpoint,
  StartEndpoint,
  TicketEndpoint,
} from './chat.endpoints.js';
import { readyFrame, resetFrame, toFrame } from './chat.frames.js';
import { eventsUrlOf } from './chat.urls.js';
import { answerSchema, type AnswerDto } from './dto/answer.dto.js';
import {
  toRunDto,
  type DecidedDto,
  type RunDto,
  type RunStartedDto,
  type TicketDto,
} from './dto/responses.dto.js';
import { Reader, type RunReader } from './run-reader.js';

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
    private readonly approvals: ApprovalService,
  ) {}

  @Sse('', { method: RequestMethod.POST })
  @AskEndpoint()
  ask(@Reader() reader: RunReader, @Req() request: WebRequest): Observable<MessageEvent> {
    const url = eventsUrlOf(request, reader.run);
    reader.response.setHeader('Location', url).setHeader('Content-Location', url);
    return this.watch(reader, request);
  }

  @Sse('runs/:runId/events')
  @EventsEndpoint()
  events(@Reader() reader: RunReader, @Req() request: WebRequest): Observable<MessageEvent> {
    return this.watch(reader, request);
  }

  @Post('runs')
  @StartEndpoint()
  start(@Reader() { run }: RunReader, @Req() request: WebRequest): RunStartedDto {
    return startedOf(request, run);
  }

  @Get('runs/:runId')
  @RunEndpoint()
  get(@Reader() { run }: RunReader): RunDto {
    return toRunDto(run);
  }

  @Post('runs/:runId/cancel')
  @CancelEndpoint()
  async cancel(@CurrentPrincipal() principal: Principal, @Reader() { run }: RunReader): Promise<RunDto> {
    return toRunDto(await this.runs.cancel(principal, run.id));
  }

  @Post('runs/:runId/approvals/:approvalId')
  @AnswerEndpoint()
  async answer(
    @CurrentPrincipal() principal: Principal,
    @Reader() reader: RunReader,
    @Param('approvalId') approvalId: string,
    @Body({ schema: answerSchema }) answer: AnswerDto,
    @Req() request: WebRequest,
  ): Promise<DecidedDto> {
    const { run, continuedBy } = await this.approvals.answer(principal, reader.run.id, {
      [approvalId]: answer,
    });
    return { run: toRunDto(run), ...(continuedBy && { continuedBy: startedOf(request, continuedBy) }) };
  }

  @Post('runs/:runId/ticket')
  @TicketEndpoint()
  async ticket(@Reader() { run }: RunReader, @Req() request: WebRequest): Promise<TicketDto> {
    const { ticket, expiresAt } = await this.tickets.issue(authOf(request), run.id);
    const url = `${eventsUrlOf(request, run)}?ticket=${encodeURIComponent(ticket)}`;
    return { ticket, expiresAt, eventsUrl: url };
  }

  /** The run's events after the reader's cursor, as frames; until its end, or until the reader's credentials end. */
  private watch({ run, cursor, reset, response }: RunReader, request: WebRequest): Observable<MessageEvent> {
    const retryMs = Math.round(RETRY_MS * (1 + Math.random()));
    const ready = () => this.streams.ready(response);
    // A repeated POST may be past the end, and takes a 204 for an error; of an expired log there may be nothing left.
    const nothingMore = hasEnded(run) && Math.max(cursor.seq, run.firstSeq - 1) >= run.lastSeq;
    const { seq: afterSeq, epoch: afterEpoch } = cursor;

    const frames = new Observable<MessageEvent>((subscriber) => {
      subscriber.next(readyFrame(run, cursor, retryMs));
      if (reset) subscriber.next(resetFrame(run, reset));
      if (nothingMore) return subscriber.complete();
      return this.feed.follow({ runId: run.id, record: run, afterSeq, afterEpoch, ready }).subscribe({
        next: (recorded) => subscriber.next(toFrame(recorded)),
        error: (error: unknown) => subscriber.error(error),
        complete: () => subscriber.complete(),
      });
    });
    return frames.pipe(untilExpiry(authOf(request)));
  }
}

function startedOf(request: WebRequest, run: Run): RunStartedDto {
  return { runId: run.id, threadId: run.threadId, eventsUrl: eventsUrlOf(request, run) };
}

import {
  Controller,
  Get,
  Param,
  Post,
  Query,
  Req,
  RequestMethod,
  Sse,
  type MessageEvent,
} from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Observable } from 'rxjs';
import type { z } from 'zod';
import { CurrentPrincipal } from '../../auth/authentication.js';
import { Reader, type RunReader } from '../../chat/run-reader.js';
import { Frame } from '../../http/frame.js';
import type { WebRequest } from '../../http/web.exchange.js';
import type { Principal } from '../../principal.js';
import { ProtocolStreams } from '../protocol.streams.js';
import { ThreadTranscripts } from '../transcript/thread.transcripts.js';
import { toRun, type LangGraphRun } from './langgraph.resources.js';
import { LangGraphThreads } from './langgraph.threads.js';
import {
  CancelRunEndpoint,
  CreateRunEndpoint,
  GetRunEndpoint,
  JoinStreamEndpoint,
  ListRunsEndpoint,
  StreamRunEndpoint,
} from './run-stream.endpoints.js';
import { RunStarts, streamOf, type StreamedRequest } from './run-stream.guards.js';
import { cancelQuerySchema, listQuerySchema } from './run-stream.input.js';

/**
 * Runs in the words of LangGraph's first API: `client.runs` of its SDKs, the `useStream` of `@langchain/langgraph-sdk/react`, and
 * `RemoteGraph`.
 */
@ApiTags('langgraph')
@Controller()
export class RunStreamController {
  constructor(
    private readonly streams: ProtocolStreams,
    private readonly starts: RunStarts,
    private readonly threads: LangGraphThreads,
    private readonly transcripts: ThreadTranscripts,
  ) {}

  @Sse('threads/:threadId/runs/stream', { method: RequestMethod.POST })
  @StreamRunEndpoint({ inThread: true })
  stream(@Reader() reader: RunReader, @Req() request: StreamedRequest): Observable<MessageEvent> {
    return this.watch(reader, request);
  }

  @Sse('runs/stream', { method: RequestMethod.POST })
  @StreamRunEndpoint({ inThread: false })
  streamAlone(@Reader() reader: RunReader, @Req() request: StreamedRequest): Observable<MessageEvent> {
    return this.watch(reader, request);
  }

  @Sse('threads/:threadId/runs/:runId/stream')
  @JoinStreamEndpoint({ inThread: true })
  join(@Reader() reader: RunReader, @Req() request: StreamedRequest): Observable<MessageEvent> {
    return this.watch(reader, request);
  }

  @Sse('runs/:runId/stream')
  @JoinStreamEndpoint({ inThread: false })
  joinAlone(@Reader() reader: RunReader, @Req() request: StreamedRequest): Observable<MessageEvent> {
    return this.watch(reader, request);
  }

  @Post('threads/:threadId/runs')
  @CreateRunEndpoint()
  async create(@Req() request: WebRequest): Promise<LangGraphRun> {
    return toRun((await this.starts.start(request)).run);
  }

  @Get('threads/:threadId/runs')
  @ListRunsEndpoint()
  async list(
    @CurrentPrincipal() principal: Principal,
    @Param('threadId') threadId: string,
    @Query({ schema: listQuerySchema }) { limit, offset, status }: z.output<typeof listQuerySchema>,
  ): Promise<LangGraphRun[]> {
    const runs = (await this.transcripts.runsOf(principal, threadId)).toReversed().map(toRun);
    const wanted = status === undefined ? runs : runs.filter((run) => run.status === status);
    return wanted.slice(offset, offset + limit);
  }

  @Get('threads/:threadId/runs/:runId')
  @GetRunEndpoint()
  async get(
    @CurrentPrincipal() principal: Principal,
    @Param('threadId') threadId: string,
    @Param('runId') runId: string,
  ): Promise<LangGraphRun> {
    return toRun(await this.threads.run(principal, runId, threadId));
  }

  @Post('threads/:threadId/runs/:runId/cancel')
  @CancelRunEndpoint()
  async cancel(
    @CurrentPrincipal() principal: Principal,
    @Param('threadId') threadId: string,
    @Param('runId') runId: string,
    @Query({ schema: cancelQuerySchema }) { wait }: z.output<typeof cancelQuerySchema>,
  ): Promise<Record<string, never>> {
    await this.threads.cancel(await this.threads.run(principal, runId, threadId), { wait });
    return {};
  }

  private watch(reader: RunReader, request: StreamedRequest): Observable<MessageEvent> {
    const { mapper, modes, endsWithClient } = streamOf(request);
    const { run, response } = reader;
    // Relative to the address that the client has for its server, to which it adds them. From the first it takes the run's
    // id; the second makes it come back by itself after a cut.
    const path = `/threads/${run.threadId}/runs/${run.id}`;
    const query = [...modes].map((mode) => `stream_mode=${mode}`).join('&');
    response.setHeader('Content-Location', path);
    if (!endsWithClient) response.setHeader('Location', `${path}/stream?${query}`);
    return this.streams.follow(request, reader, {
      mapper: mapper.map,
      frame: ({ event, data }, id) => new Frame(id, event, JSON.stringify(data)),
    });
  }
}

import { Controller, Get, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { of } from 'rxjs';
import type { z } from 'zod';
import { CurrentPrincipal } from '../../auth/authentication.js';
import { Frame } from '../../http/frame.js';
import { SchemaPipe } from '../../http/validate.js';
import { replyWithEventStream } from '../../http/reply-with-event-stream.js';
import { SseStreams } from '../../http/sse-streams.js';
import { rawResponse, type WebRequest, type WebResponse } from '../../http/http.types.js';
import { MissingError } from '../../errors.js';
import type { Principal } from '../../principal.js';
import { ProtocolStreams, type HttpExchange } from '../protocol-streams.js';
import { ThreadRuns } from '../thread-runs.js';
import { ThreadTranscripts } from '../transcript/thread-transcripts.js';
import { LangGraphAssistants } from './langgraph-assistants.js';
import { getStateRunId } from './langgraph-checkpoints.js';
import { getQuestionId } from './langgraph-input.js';
import { nameMissing } from './langgraph.filter.js';
import { toRun, toRunPath, type LangGraphRun } from './langgraph-resources.js';
import { LangGraphThreads } from './langgraph-threads.js';
import {
  CancelRunEndpoint,
  CreateRunEndpoint,
  GetRunEndpoint,
  JoinStreamEndpoint,
  ListRunsEndpoint,
  StartBatchEndpoint,
  StreamRunEndpoint,
} from './run-stream.endpoints.js';
import { cancelQuerySchema, listQuerySchema } from './run-stream-input.js';
import { RunStreamMapper } from './run-stream.mapper.js';
import { RunStreams, type RunStreamView } from './run-stream.service.js';

/**
 * Runs in the words of LangGraph's first API: `client.runs` of its SDKs, the `useStream` of `@langchain/langgraph-sdk/react`, and
 * `RemoteGraph`.
 */
@ApiTags('langgraph')
@Controller()
export class RunStreamController {
  constructor(
    private readonly runStreams: RunStreams,
    private readonly protocol: ProtocolStreams,
    private readonly streams: SseStreams,
    private readonly runs: ThreadRuns,
    private readonly threads: LangGraphThreads,
    private readonly transcripts: ThreadTranscripts,
    private readonly assistants: LangGraphAssistants,
  ) {}

  @Post('threads/:threadId/runs/stream')
  @StreamRunEndpoint({ inThread: true })
  async stream(@Req() request: WebRequest, @Res() response: WebResponse): Promise<void> {
    await this.reply({ request, response }, await this.runStreams.startStreamed(request));
  }

  @Post('runs/stream')
  @StreamRunEndpoint({ inThread: false })
  async streamAlone(@Req() request: WebRequest, @Res() response: WebResponse): Promise<void> {
    await this.reply({ request, response }, await this.runStreams.startStreamed(request));
  }

  @Get('threads/:threadId/runs/:runId/stream')
  @JoinStreamEndpoint({ inThread: true })
  async join(@Req() request: WebRequest, @Res() response: WebResponse): Promise<void> {
    await this.replyToJoin({ request, response });
  }

  @Get('runs/:runId/stream')
  @JoinStreamEndpoint({ inThread: false })
  async joinAlone(@Req() request: WebRequest, @Res() response: WebResponse): Promise<void> {
    await this.replyToJoin({ request, response });
  }

  @Post('threads/:threadId/runs')
  @CreateRunEndpoint({ inThread: true })
  async create(@Req() request: WebRequest): Promise<LangGraphRun> {
    return toRun(await this.runStreams.start(request));
  }

  @Post('runs')
  @CreateRunEndpoint({ inThread: false })
  async createAlone(@Req() request: WebRequest): Promise<LangGraphRun> {
    return toRun(await this.runStreams.start(request));
  }

  @Post('runs/batch')
  @StartBatchEndpoint()
  async createBatch(@Req() request: WebRequest): Promise<LangGraphRun[]> {
    return (await this.runStreams.startBatch(request)).map(toRun);
  }

  @Get('threads/:threadId/runs')
  @ListRunsEndpoint()
  async list(
    @CurrentPrincipal() principal: Principal,
    @Param('threadId') threadId: string,
    @Query(new SchemaPipe(listQuerySchema)) { limit, offset, status }: z.output<typeof listQuerySchema>,
  ): Promise<LangGraphRun[]> {
    const runs = (await this.transcripts.listRuns(principal, threadId)).toReversed().map(toRun);
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
    @Query(new SchemaPipe(cancelQuerySchema)) { wait }: z.output<typeof cancelQuerySchema>,
  ): Promise<Record<string, never>> {
    await this.threads.cancel(await this.threads.run(principal, runId, threadId), { wait });
    return {};
  }

  private async replyToJoin(exchange: HttpExchange): Promise<void> {
    const found = await this.runStreams.join(exchange.request).catch(toMissing);
    if (!(found instanceof MissingError)) return this.reply(exchange, found);
    const data = { error: found.code, message: `404: ${nameMissing(found)}` };
    const frame = new Frame('', 'error', JSON.stringify(data));
    await replyWithEventStream(this.streams, exchange.response, of(frame));
  }

  private async reply(
    exchange: HttpExchange,
    { reader, modes, hasSubgraphs, endsWithClient }: RunStreamView,
  ): Promise<void> {
    const { response } = exchange;
    const { run } = reader;
    if (endsWithClient) this.runs.stopWithClient(run, response);
    const before = await this.threads.upTo(run);
    const { id: runId, threadId } = run;
    const questionId = getQuestionId(run);
    const hasMessages = this.assistants.hasMessages(run.agent);
    const mapper = new RunStreamMapper({
      runId,
      stateRunId: getStateRunId(run),
      threadId,
      ...before,
      modes,
      hasSubgraphs,
      questionId,
      hasMessages,
    });
    // Relative to the address that the client has for its server, to which it adds them. From the first it takes the run's
    // id; the second makes it come back by itself after a cut.
    const path = toRunPath(run);
    const asked = [...modes].map((mode) => `stream_mode=${mode}`);
    const query = [...asked, ...(hasSubgraphs ? ['stream_subgraphs=true'] : [])].join('&');
    const raw = rawResponse(response).setHeader('Content-Location', path);
    if (!endsWithClient) raw.setHeader('Location', `${path}/stream?${query}`);
    const frames = this.protocol.follow(exchange, reader, {
      mapper: mapper.map,
      frame: ({ event, data }, id) => new Frame(id, event, JSON.stringify(data)),
    });
    await replyWithEventStream(this.streams, response, frames);
  }
}

/** @throws any other error */
function toMissing(error: unknown): MissingError {
  if (error instanceof MissingError) return error;
  throw error;
}

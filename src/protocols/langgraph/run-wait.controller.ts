import { Controller, Get, Post, Req, Res } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ApiTags } from '@nestjs/swagger';
import { replyWithJson } from '../../http/reply-with-json.js';
import { rawResponse, type WebRequest, type WebResponse } from '../../http/http.types.js';
import { ProtocolStreams } from '../protocol-streams.js';
import { ThreadRuns } from '../thread-runs.js';
import { LangGraphAssistants } from './langgraph-assistants.js';
import { toRunPath } from './langgraph-resources.js';
import { LangGraphThreads } from './langgraph-threads.js';
import { JoinRunEndpoint, WaitForRunEndpoint } from './run-stream.endpoints.js';
import { RunOutcome } from './run-outcome.js';
import { RunStreams, type RunStreamView } from './run-stream.service.js';

/** Runs of clients that want the outcome alone: `client.runs.wait` and `client.runs.join`. */
@ApiTags('langgraph')
@Controller()
export class RunWaitController {
  constructor(
    private readonly runStreams: RunStreams,
    private readonly protocol: ProtocolStreams,
    private readonly runs: ThreadRuns,
    private readonly threads: LangGraphThreads,
    private readonly assistants: LangGraphAssistants,
    private readonly adapter: HttpAdapterHost,
  ) {}

  @Post('threads/:threadId/runs/wait')
  @WaitForRunEndpoint({ inThread: true })
  async wait(@Req() request: WebRequest, @Res() response: WebResponse): Promise<void> {
    await this.replyAtEnd(response, await this.runStreams.startStreamed(request));
  }

  @Post('runs/wait')
  @WaitForRunEndpoint({ inThread: false })
  async waitAlone(@Req() request: WebRequest, @Res() response: WebResponse): Promise<void> {
    await this.replyAtEnd(response, await this.runStreams.startStreamed(request));
  }

  @Get('threads/:threadId/runs/:runId/join')
  @JoinRunEndpoint()
  async join(@Req() request: WebRequest, @Res() response: WebResponse): Promise<void> {
    await this.replyAtEnd(response, await this.runStreams.join(request));
  }

  private async replyAtEnd(
    response: WebResponse,
    { reader: { run }, endsWithClient }: RunStreamView,
  ): Promise<void> {
    if (endsWithClient) this.runs.stopWithClient(run, response);
    rawResponse(response).setHeader('Content-Location', toRunPath(run));
    const hasMessages = this.assistants.hasMessages(run.agent);
    const { transcript } = await this.threads.upTo(run);
    const outcome = new RunOutcome(run, transcript, hasMessages);
    await this.protocol.watch(run, response, outcome.take);
    replyWithJson(this.adapter, response, outcome.reply);
  }
}

import { Controller, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ApiTags } from '@nestjs/swagger';
import { getAuthentication } from '../../auth/authentication.js';
import type { WebRequest, WebResponse } from '../../http/http.types.js';
import { replyWithJson } from '../../http/reply-with-json.js';
import { validate } from '../../http/validate.js';
import { START_PROBLEMS } from '../../streams/start-problems.js';
import { OpenStreamsGuard } from '../../throttling/open-streams.guard.js';
import { ProtocolStreams } from '../protocol-streams.js';
import { LangGraphEndpoint } from './langgraph-endpoint.decorator.js';
import { toCheckpointId } from './langgraph-checkpoints.js';
import { LangGraphStateUpdates } from './langgraph-state-updates.js';
import { THREAD_ID } from './run-stream.endpoints.js';
import { updatedStateSchema, updateStateSchema, type UpdatedState } from './state-update-input.js';

/** Changes of a thread's state: `client.threads.updateState`. */
@ApiTags('langgraph')
@Controller()
export class LangGraphStateController {
  constructor(
    private readonly updates: LangGraphStateUpdates,
    private readonly protocol: ProtocolStreams,
    private readonly adapter: HttpAdapterHost,
  ) {}

  @Post()
  @HttpCode(200)
  @THREAD_ID
  @LangGraphEndpoint({
    summary: 'Change the state of a thread (LangGraph)',
    description: 'For agents that take such changes. The reply comes when the state has changed.',
    reply: { status: 200, description: 'The new state.', schema: updatedStateSchema },
    accepts: updateStateSchema,
    guards: [OpenStreamsGuard],
    problems: [...START_PROBLEMS, 'RUN_FAILED', 'TOO_MANY_STREAMS'],
  })
  async update(
    @Req() request: WebRequest,
    @Res() response: WebResponse,
    @Param('threadId') threadId: string,
  ): Promise<void> {
    const body = validate(updateStateSchema, request.body, 'body');
    const run = await this.updates.start(getAuthentication(request).principal, threadId, body);
    await this.protocol.watch(run, response, () => undefined);
    const place = {
      thread_id: threadId,
      checkpoint_ns: '',
      checkpoint_id: toCheckpointId({ run: await this.updates.confirm(run), answered: true }),
    } as const;
    replyWithJson(this.adapter, response, { checkpoint: place, configurable: place } satisfies UpdatedState);
  }
}

import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { authOf } from '../../auth/authentication.js';
import { attachReader } from '../../chat/run-reader.js';
import { startOf } from '../../events/cursor.js';
import { NothingMore } from '../../http/problem.filter.js';
import { validate } from '../../http/validate.js';
import type { WebRequest, WebResponse } from '../../http/web.exchange.js';
import type { Run } from '../../runs/run.js';
import { MessageRuns } from '../message.runs.js';
import type { ProtocolMapper } from '../protocol.mapper.js';
import { ThreadApprovals } from '../thread.approvals.js';
import { ThreadRuns } from '../thread.runs.js';
import type { AiSdkChunk } from './ai-sdk.chunks.js';
import { askSchema } from './ai-sdk.dto.js';
import { createAiSdkMapper } from './ai-sdk.mapper.js';
import { withEarlierRuns, withoutContent, withoutTakenBack } from './ai-sdk.replay.js';

const MAPPER = Symbol('ai-sdk-mapper');

/** For the handler: how its guard wants the run to be shown, which may take longer to find out than a handler of a stream may. */
interface MappedRequest extends WebRequest {
  [MAPPER]?: ProtocolMapper<AiSdkChunk>;
}

export function mapperOf(request: MappedRequest): ProtocolMapper<AiSdkChunk> {
  const mapper = request[MAPPER];
  if (!mapper)
    throw new Error('This route has no guard that finds its run: bind AskGuard or ActiveRunGuard.');
  return mapper;
}

/**
 * Starts the run that a chat's transport asks for, or gives its answers to approvals. REQUEST_INVALID, and what
 * {@link ThreadRuns.start} and {@link ThreadApprovals.answer} refuse.
 */
@Injectable()
export class AskGuard implements CanActivate {
  constructor(
    private readonly runs: ThreadRuns,
    private readonly approvals: ThreadApprovals,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<WebRequest>();
    const asked = validate(askSchema, request.body, 'body');
    if ('message' in asked) {
      watch(context, await this.runs.start(request, asked), createAiSdkMapper());
      return true;
    }
    const { principal } = authOf(request);
    const { run, continuedBy } = await this.approvals.answer(principal, asked.threadId, asked.answers);
    if (continuedBy) watch(context, continuedBy, createAiSdkMapper(run.approvals));
    else watch(context, run, withoutContent(createAiSdkMapper()));
    return true;
  }
}

/**
 * Finds the run that goes on in `:chatId`; for a client that says which run it has seen to the end (`?after=`), also one that has
 * ended since. 204 when there is none, which leaves the client's chat as it is.
 */
@Injectable()
export class ActiveRunGuard implements CanActivate {
  constructor(
    private readonly runs: ThreadRuns,
    private readonly messages: MessageRuns,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<WebRequest>();
    const run = await this.runOf(request);
    if (!run) throw new NothingMore();
    const earlier = await this.messages.earlier(run);
    const mapper = withEarlierRuns(createAiSdkMapper(earlier.at(-1)?.run.approvals), earlier);
    watch(context, run, withoutTakenBack(mapper, run.lastSeq));
    return true;
  }

  private async runOf(request: WebRequest): Promise<Run | undefined> {
    const { principal } = authOf(request);
    const chatId = String(request.params.chatId);
    const { after } = request.query;
    const active = await this.runs.active(principal, chatId);
    if (active || after === undefined) return active;
    const last = await this.runs.last(principal, chatId);
    return last?.id === after ? undefined : last;
  }
}

/** From the first event: the client sends no cursor, and rebuilds the message from its `start`. */
function watch(context: ExecutionContext, run: Run, mapper: ProtocolMapper<AiSdkChunk>): void {
  const http = context.switchToHttp();
  const request = http.getRequest<MappedRequest>();
  request[MAPPER] = mapper;
  attachReader(request, { run, cursor: startOf(run.id), response: http.getResponse<WebResponse>() });
}

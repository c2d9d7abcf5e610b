import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { authOf } from '../../auth/authentication.js';
import { attachReader } from '../../chat/run-reader.js';
import { startOf } from '../../events/cursor.js';
import { validate } from '../../http/validate.js';
import { rawResponse, type WebRequest, type WebResponse } from '../../http/web.exchange.js';
import type { Run } from '../../runs/run.js';
import { ThreadRuns } from '../thread.runs.js';
import { completionFactsOf, completionOf } from './chat-completion.js';
import {
  createChatCompletionsMapper,
  type CompletionChunk,
  type CompletionError,
} from './chat-completions.mapper.js';
import { chatCompletionSchema, responseSchema, retrieveQuerySchema } from './openai.dto.js';
import { WholeAnswer } from './openai.filter.js';
import { OpenAiRuns } from './openai.runs.js';
import type { ResponsesMapper } from './responses.mapper.js';

/**
 * Routes of this protocol stream when the request says so, and answer with one JSON text when not. The guards find out, and
 * answer the latter with a {@link WholeAnswer}: a handler under `@Sse` always streams.
 */

/** Starts what `POST chat/completions` asks for. REQUEST_INVALID, and what {@link ThreadRuns.start} refuses. */
@Injectable()
export class ChatCompletionGuard implements CanActivate {
  constructor(
    private readonly threads: ThreadRuns,
    private readonly runs: OpenAiRuns,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const { request, response } = httpOf(context);
    const { start, stream } = validate(chatCompletionSchema, request.body, 'body');
    const run = await this.threads.start(request, start);
    this.threads.stopWithClient(run, response);
    if (stream) return watch(context, run);
    const facts = completionFactsOf(run);
    const mapper = createChatCompletionsMapper(facts, { includeUsage: true });
    const chunks: (CompletionChunk | CompletionError)[] = [];
    await this.runs.watch(run, response, (recorded) => chunks.push(...mapper(recorded)));
    throw new WholeAnswer(completionOf(facts, chunks));
  }
}

const MAPPER = Symbol('openai-mapper');

/** For the handler: what its guard has made, because what was asked before a response has to be read. */
interface MappedRequest extends WebRequest {
  [MAPPER]?: ResponsesMapper;
}

export function mapperOf(request: MappedRequest): ResponsesMapper {
  const mapper = request[MAPPER];
  if (!mapper)
    throw new Error(
      'This route has no guard that finds its run: bind CreateResponseGuard or RetrieveResponseGuard.',
    );
  return mapper;
}

/** Starts what `POST responses` asks for. REQUEST_INVALID, and what {@link OpenAiRuns.start} refuses. */
@Injectable()
export class CreateResponseGuard implements CanActivate {
  constructor(
    private readonly threads: ThreadRuns,
    private readonly runs: OpenAiRuns,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const { request, response } = httpOf(context);
    const asked = validate(responseSchema, request.body, 'body');
    const run = await this.runs.start(request, asked);
    if (!asked.background) this.threads.stopWithClient(run, response);
    const mapper = await this.runs.mapperOf(run);
    if (asked.stream) return watch(context, run, mapper);
    if (!asked.background) await this.runs.watch(run, response, mapper.map);
    throw new WholeAnswer(mapper.response);
  }
}

/** Finds the response of `:responseId`. NOT_FOUND also for another principal's. */
@Injectable()
export class RetrieveResponseGuard implements CanActivate {
  constructor(private readonly runs: OpenAiRuns) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const { request } = httpOf(context);
    const { stream } = validate(retrieveQuerySchema, request.query, 'query');
    const run = await this.runs.find(authOf(request).principal, String(request.params.responseId));
    if (stream === 'true') return watch(context, run, await this.runs.mapperOf(run));
    throw new WholeAnswer(await this.runs.response(run));
  }
}

function httpOf(context: ExecutionContext) {
  const http = context.switchToHttp();
  return {
    request: http.getRequest<MappedRequest>(),
    response: rawResponse(http.getResponse<WebResponse>()),
  };
}

function watch(context: ExecutionContext, run: Run, mapper?: ResponsesMapper): true {
  const { request, response } = httpOf(context);
  if (mapper) request[MAPPER] = mapper;
  attachReader(request, { run, cursor: startOf(run.id), response });
  return true;
}

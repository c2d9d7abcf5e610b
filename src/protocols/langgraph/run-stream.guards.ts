import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { authOf } from '../../auth/authentication.js';
import { lastEventIdOf } from '../../chat/run.guard.js';
import { attachReader, CursorCheck, type RunReader } from '../../chat/run-reader.js';
import { startOf } from '../../events/cursor.js';
import { validate } from '../../http/validate.js';
import { rawResponse, type WebRequest, type WebResponse } from '../../http/web.exchange.js';
import type { Run } from '../../runs/run.js';
import { ThreadApprovals } from '../thread.approvals.js';
import { ThreadRuns } from '../thread.runs.js';
import { answersOf } from './langgraph.answers.js';
import { noteOf, questionOf } from './langgraph.input.js';
import { LangGraphThreads } from './langgraph.threads.js';
import type { StreamMode } from './run-stream.chunks.js';
import { joinQuerySchema, modesOf, runRequestSchema, type RunRequest } from './run-stream.input.js';
import { RunStreamMapper } from './run-stream.mapper.js';

const STREAM = Symbol('langgraph-run-stream');

/** How a client is to be shown a run. */
export interface RunStreaming {
  readonly mapper: RunStreamMapper;
  readonly modes: ReadonlySet<StreamMode>;
  /** The run ends with the connection: there is nothing to come back for. */
  readonly endsWithClient: boolean;
}

/** For the handler: what the guard has prepared, because reading a thread takes longer than a handler of a stream may. */
export interface StreamedRequest extends WebRequest {
  [STREAM]?: RunStreaming;
}

export function streamOf(request: StreamedRequest): RunStreaming {
  const stream = request[STREAM];
  if (!stream)
    throw new Error('This route has no guard that finds its run: bind RunStreamGuard or JoinStreamGuard.');
  return stream;
}

/** What LangGraph streams to who asks for nothing in particular. */
const DEFAULT_MODES: readonly StreamMode[] = ['values'];

/** What a client hears that joins and asks for nothing in particular: LangGraph gives it what the run was started with. */
const JOIN_MODES: readonly StreamMode[] = ['values', 'updates', 'messages-tuple', 'custom', 'tools'];

/** Starts runs as LangGraph's clients ask for them. */
@Injectable()
export class RunStarts {
  constructor(
    private readonly runs: ThreadRuns,
    private readonly approvals: ThreadApprovals,
  ) {}

  /**
   * Starts a run; or answers what the last one has asked, with the run that goes on.
   *
   * @throws AppError REQUEST_INVALID, and what {@link ThreadRuns.start} and {@link ThreadApprovals.finish} refuse
   */
  async start(request: WebRequest): Promise<{ run: Run; asked: RunRequest }> {
    const asked = validate(runRequestSchema, request.body, 'body');
    const { threadId } = request.params;
    if (asked.command) return { run: await this.resume(request, asked.command.resume), asked };
    const { text: message, id } = questionOf(asked);
    const run = await this.runs.start(request, {
      message,
      agent: asked.assistant_id,
      ...(typeof threadId === 'string' && { threadId }),
      ...(id && { metadata: noteOf(id) }),
    });
    return { run, asked };
  }

  private async resume(request: WebRequest, resume: unknown): Promise<Run> {
    const { principal } = authOf(request);
    const asker = await this.approvals.lastAsker(principal, String(request.params.threadId));
    return this.approvals.finish(principal, asker, answersOf(resume, asker.approvals ?? []));
  }
}

/** Streams a run that a guard has found. */
@Injectable()
export class RunStreams {
  constructor(
    private readonly runs: ThreadRuns,
    private readonly threads: LangGraphThreads,
  ) {}

  async attach(
    context: ExecutionContext,
    place: Pick<RunReader, 'run' | 'cursor'>,
    { modes, endsWithClient }: Pick<RunStreaming, 'modes' | 'endsWithClient'>,
  ): Promise<void> {
    const { request, response } = httpOf(context);
    const { run } = place;
    if (endsWithClient) this.runs.stopWithClient(run, rawResponse(response));
    attachReader(request, { ...place, response });
    const transcript = await this.threads.upTo(run);
    const mapper = new RunStreamMapper({ runId: run.id, threadId: run.threadId, transcript, modes });
    request[STREAM] = { mapper, modes, endsWithClient };
  }
}

/** Starts the run that is to be streamed. A guard, so that everything that can be refused is refused before the stream. */
@Injectable()
export class RunStreamGuard implements CanActivate {
  constructor(
    private readonly starts: RunStarts,
    private readonly streams: RunStreams,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const { run, asked } = await this.starts.start(httpOf(context).request);
    const endsWithClient = asked.on_disconnect === 'cancel';
    const modes = modesOf(asked.stream_mode, DEFAULT_MODES);
    await this.streams.attach(context, { run, cursor: startOf(run.id) }, { modes, endsWithClient });
    return true;
  }
}

/** Finds the run of `:runId`, in `:threadId` if the route has one, and places its reader. NOT_FOUND, CURSOR_INVALID. */
@Injectable()
export class JoinStreamGuard implements CanActivate {
  constructor(
    private readonly threads: LangGraphThreads,
    private readonly cursors: CursorCheck,
    private readonly streams: RunStreams,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const { request } = httpOf(context);
    const { stream_mode, cancel_on_disconnect: endsWithClient = false } = validate(
      joinQuerySchema,
      request.query,
      'query',
    );
    const { runId, threadId } = request.params;
    const run = await this.threads.run(
      authOf(request).principal,
      String(runId),
      threadId as string | undefined,
    );
    const lastEventId = lastEventIdOf(request);
    // A minus one is what clients send that want the run from its first event.
    const { cursor } = await this.cursors.place(run, lastEventId === '-1' ? undefined : lastEventId);
    await this.streams.attach(
      context,
      { run, cursor },
      { modes: modesOf(stream_mode, JOIN_MODES), endsWithClient },
    );
    return true;
  }
}

function httpOf(context: ExecutionContext) {
  const http = context.switchToHttp();
  return { request: http.getRequest<StreamedRequest>(), response: http.getResponse<WebResponse>() };
}

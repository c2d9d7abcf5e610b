import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { AppError } from '../../errors.js';
import { getAuthentication } from '../../auth/authentication.js';
import { readLastEventId } from '../../http/last-event-id.js';
import { validate } from '../../http/validate.js';
import type { WebRequest } from '../../http/http.types.js';
import type { Run } from '../../runs/run.js';
import { CursorCheck, readFromStart, type RunReader } from '../../streams/run-reader.js';
import { ThreadInputs } from '../thread-inputs.js';
import { ThreadRuns } from '../thread-runs.js';
import { parseDecisions } from './langgraph-decisions.js';
import { givenIn, isEmpty, metadataIn, toNote, findQuestion } from './langgraph-input.js';
import { LangGraphThreads } from './langgraph-threads.js';
import type { StreamMode } from './run-stream-chunks.js';
import { joinQuerySchema, parseModes, runRequestSchema, type RunRequest } from './run-stream-input.js';

/** A reader of a run, and what it wants to hear. */
export interface RunStreamView {
  readonly reader: RunReader;
  readonly modes: ReadonlySet<StreamMode>;
  /** True if the run ends with the connection: there is nothing to come back for. */
  readonly endsWithClient: boolean;
}

/** Modes of a stream whose client names none. */
const DEFAULT_MODES: readonly StreamMode[] = ['values'];

/** Modes of a stream that a client joins without naming any. LangGraph uses those that the run was started with. */
const JOIN_MODES: readonly StreamMode[] = ['values', 'updates', 'messages-tuple', 'custom', 'tools'];

/** Runs as LangGraph's clients start and join them. */
@Injectable()
export class RunStreams {
  constructor(
    private readonly runs: ThreadRuns,
    private readonly threads: LangGraphThreads,
    private readonly inputs: ThreadInputs,
    private readonly cursors: CursorCheck,
  ) {}

  /**
   * Starts a run; or answers what the last one has asked, with the run that goes on.
   *
   * @throws AppError REQUEST_INVALID, and what {@link ThreadRuns.start} and {@link ThreadInputs.finish} refuse
   */
  async start(request: WebRequest): Promise<Run> {
    return this.startAs(request, validate(runRequestSchema, request.body, 'body'));
  }

  /** Starts a run that is to be streamed. @throws AppError as {@link RunStreams.start} */
  async startStreamed(request: WebRequest): Promise<RunStreamView> {
    const body = validate(runRequestSchema, request.body, 'body');
    const run = await this.startAs(request, body);
    return {
      reader: readFromStart(run),
      modes: parseModes(body.stream_mode, DEFAULT_MODES),
      endsWithClient: body.on_disconnect === 'cancel',
    };
  }

  /**
   * Finds the run of `:runId`, in `:threadId` if the route has one, and places its reader.
   *
   * @throws AppError REQUEST_INVALID, NOT_FOUND, CURSOR_INVALID
   */
  async join(request: WebRequest): Promise<RunStreamView> {
    const query = validate(joinQuerySchema, request.query, 'query');
    const { runId, threadId } = request.params;
    const { principal } = getAuthentication(request);
    const run = await this.threads.run(principal, String(runId), threadId as string | undefined);
    const lastEventId = readLastEventId(request);
    return {
      // A minus one is what clients send that want the run from its first event.
      reader: await this.cursors.locate(run, lastEventId === '-1' ? undefined : lastEventId),
      modes: parseModes(query.stream_mode, JOIN_MODES),
      endsWithClient: query.cancel_on_disconnect ?? false,
    };
  }

  private async startAs(request: WebRequest, body: RunRequest): Promise<Run> {
    const { threadId } = request.params;
    if (body.command) return this.resume(request, body.command.resume, body);
    const { text: message, id } = findQuestion(body);
    return this.runs.start(request, {
      message,
      agent: body.assistant_id,
      ...(typeof threadId === 'string' && { threadId }),
      ...givenIn(body),
      metadata: { ...metadataIn(body), ...(id && toNote(id)) },
      ...(body.multitask_strategy === 'reject' && { whenBusy: 'reject' }),
    });
  }

  private async resume(request: WebRequest, resume: unknown, body: RunRequest): Promise<Run> {
    const { principal } = getAuthentication(request);
    const asker = await this.inputs.lastAsker(principal, String(request.params.threadId));
    refuseChanges(body, asker);
    return this.inputs.finish(principal, asker, parseDecisions(resume, asker.inputs ?? []));
  }
}

/** @throws AppError REQUEST_INVALID where a command gives the run that goes on something else than what it began with */
function refuseChanges(body: RunRequest, { given = {} }: Run): void {
  if (!isEmpty(body.input))
    throw new AppError('REQUEST_INVALID', 'input: Send an input or a command, not both.');
  for (const name of ['context', 'configurable'] as const) {
    const sent = givenIn(body)[name];
    if (!isEmpty(sent) && !isDeepStrictEqual(sent, given[name])) {
      const detail = 'A run that has asked goes on with what it was started with.';
      throw new AppError('REQUEST_INVALID', `${name}: ${detail} Send the same value, or none.`);
    }
  }
}

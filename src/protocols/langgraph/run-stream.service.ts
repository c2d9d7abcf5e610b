import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { AppError } from '../../errors.js';
import { getAuthentication } from '../../auth/authentication.js';
import { readLastEventId } from '../../http/last-event-id.js';
import { validate } from '../../http/validate.js';
import type { WebRequest } from '../../http/http.types.js';
import type { Principal } from '../../principal.js';
import type { Run } from '../../runs/run.js';
import { CursorCheck, readFromStart, type RunReader } from '../../streams/run-reader.js';
import { listOpen, ThreadInputs } from '../thread-inputs.js';
import { ThreadRuns } from '../thread-runs.js';
import { parseDecisions } from './langgraph-decisions.js';
import {
  AS_ASKED,
  findPlace,
  findStrategy,
  getStreamModes,
  givenIn,
  isEmpty,
  metadataIn,
  toNote,
  findQuestion,
  withAssistant,
  type PlaceInThread,
} from './langgraph-input.js';
import { LangGraphPlaces } from './langgraph-places.js';
import { LangGraphAssistants } from './langgraph-assistants.js';
import { isBreakpoint } from './langgraph-interrupts.js';
import { LangGraphStateUpdates } from './langgraph-state-updates.js';
import { LangGraphThreads } from './langgraph-threads.js';
import { needStates, type StreamMode } from './run-stream-chunks.js';
import {
  batchSchema,
  joinQuerySchema,
  parseModes,
  runRequestSchema,
  type RunRequest,
} from './run-stream-input.js';

/** A reader of a run, and what it wants to hear. */
export interface RunStreamView {
  readonly reader: RunReader;
  readonly modes: ReadonlySet<StreamMode>;
  readonly hasSubgraphs: boolean;
  /** True if the run ends with the connection: there is nothing to come back for. */
  readonly endsWithClient: boolean;
}

/** Modes of a stream whose client names none. */
const DEFAULT_MODES: readonly StreamMode[] = ['values'];

/** Modes of a stream that a client joins without naming any, of a run that was started without any. */
const JOIN_MODES: readonly StreamMode[] = ['values', 'updates', 'messages-tuple', 'custom', 'tools'];

/** Runs as LangGraph's clients start and join them. */
@Injectable()
export class RunStreams {
  constructor(
    private readonly runs: ThreadRuns,
    private readonly threads: LangGraphThreads,
    private readonly assistants: LangGraphAssistants,
    private readonly updates: LangGraphStateUpdates,
    private readonly inputs: ThreadInputs,
    private readonly cursors: CursorCheck,
    private readonly places: LangGraphPlaces,
  ) {}

  /**
   * Starts a run; or answers what the last one has asked, with the run that goes on.
   *
   * @throws AppError REQUEST_INVALID, and what {@link ThreadRuns.start} and {@link ThreadInputs.finish} refuse
   */
  async start(request: WebRequest): Promise<Run> {
    return this.startAs(request, validate(runRequestSchema, request.body, 'body'));
  }

  /**
   * Starts runs, each in a thread of its own. If one is refused, those before it go on, and the refusal names them.
   *
   * @throws AppError as {@link RunStreams.start}, with the ids of the runs in `details.started`
   */
  async startBatch(request: WebRequest): Promise<Run[]> {
    const runs: Run[] = [];
    for (const body of validate(batchSchema, request.body, 'body')) {
      try {
        runs.push(await this.startAs(request, body));
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        const { code, message, options } = error;
        const details = { ...options.details, started: runs.map(({ id }) => id) };
        throw new AppError(code, message, { ...options, details });
      }
    }
    return runs;
  }

  /** Starts a run that is to be streamed. @throws AppError as {@link RunStreams.start} */
  async startStreamed(request: WebRequest): Promise<RunStreamView> {
    const body = validate(runRequestSchema, request.body, 'body');
    const run = await this.startAs(request, body);
    return {
      reader: readFromStart(run),
      modes: parseModes(body.stream_mode, DEFAULT_MODES),
      hasSubgraphs: body.stream_subgraphs ?? false,
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
      modes: parseModes(query.stream_mode, (getStreamModes(run) as StreamMode[] | undefined) ?? JOIN_MODES),
      hasSubgraphs: query.stream_subgraphs ?? false,
      endsWithClient: query.cancel_on_disconnect ?? false,
    };
  }

  private async startAs(request: WebRequest, body: RunRequest): Promise<Run> {
    const { threadId } = request.params;
    const { principal } = getAuthentication(request);
    const version = await this.assistants.findVersion(principal, body.assistant_id);
    const agent = version?.agent ?? body.assistant_id;
    const { input, files } = this.assistants.splitInput(agent, body.input);
    const asked = withAssistant({ ...body, input }, version);
    if (needStates(body.stream_mode)) await this.checkKeepsStates(principal, body);
    const { resume } = body.command ?? {};
    if (resume !== undefined && resume !== null) return this.resume(request, resume, { body, asked });
    // A graph that can go on without an input does so from its question.
    const mostRepeated = (await this.takesChanges(principal, body)) ? 1 : 2;
    const repeats = isEmpty(body.input) && !body.command ? mostRepeated : 0;
    const here = typeof threadId === 'string' ? { threadId } : {};
    const place = await this.places.resolve(principal, findPlace(body), { repeats, ...here });
    const start = {
      agent,
      ...(typeof threadId === 'string' && { threadId }),
      createThread: body.if_not_exists === 'create',
      ...place,
      ...findStrategy(body),
      ...(body.after_seconds && { delayMs: Math.ceil(body.after_seconds * 1_000) }),
    };
    const named = { streamModes: body.stream_mode, ...(version && { assistantId: body.assistant_id }) };
    if (body.command ?? (await this.isContinued(principal, body, place))) {
      if (!body.command && (await this.isStopped(request, place)))
        return this.resume(request, null, { body: withoutPlace(body), asked });
      return this.runs.start(request, {
        ...start,
        ...givenIn(asked),
        ...(await this.updates.toStart(principal, start, body.command ?? {})),
        metadata: { ...metadataIn(asked), ...toNote(named) },
      });
    }
    const { text: message, id } = place.replaces === undefined ? findQuestion(asked) : AS_ASKED;
    return this.runs.start(request, {
      ...start,
      message,
      ...(files && { files }),
      ...givenIn(place.replaces === undefined ? asked : { ...asked, input: null }),
      metadata: { ...metadataIn(asked), ...toNote({ id, ...named }) },
    });
  }

  /** True for a start without an input, of an agent whose graph can go on without one. */
  private async isContinued(
    principal: Principal,
    body: RunRequest,
    { replaces }: PlaceInThread,
  ): Promise<boolean> {
    const { input } = body;
    if ((input !== null && input !== undefined) || replaces !== undefined) return false;
    return this.takesChanges(principal, body);
  }

  /** Refuses modes that tell of each state of a run, where these are not kept. @throws AppError REQUEST_INVALID */
  private async checkKeepsStates(principal: Principal, { assistant_id: id }: RunRequest): Promise<void> {
    const { name, keepsStates } = await this.assistants.getAgent(principal, id);
    if (keepsStates) return;
    const detail = `The agent '${name}' does not keep the states that 'tasks', 'checkpoints' and 'debug' tell of.`;
    throw new AppError('REQUEST_INVALID', `stream_mode: ${detail} Leave these out.`);
  }

  private async takesChanges(principal: Principal, { assistant_id: id }: RunRequest): Promise<boolean> {
    return (await this.assistants.getAgent(principal, id)).takesStateChanges ?? false;
  }

  /** True if the thread's last run has stopped at a breakpoint, which is what any answer ends. */
  private async isStopped(
    request: WebRequest,
    { parentRunId, fromCheckpoint }: PlaceInThread,
  ): Promise<boolean> {
    const { threadId } = request.params;
    if (fromCheckpoint !== undefined || typeof threadId !== 'string') return false;
    const last = await this.runs.last(getAuthentication(request).principal, threadId);
    if (parentRunId !== undefined && parentRunId !== last?.id) return false;
    const open = last?.status === 'awaiting-input' ? listOpen(last) : [];
    return open.length > 0 && open.every(isBreakpoint);
  }

  private async resume(request: WebRequest, resume: unknown, sent: SentStart): Promise<Run> {
    const { principal } = getAuthentication(request);
    const threadId = String(request.params.threadId);
    const asker = await this.inputs.lastAsker(principal, threadId);
    refuseChanges(sent, asker);
    const place = await this.places.resolve(principal, findPlace(sent.body), { threadId });
    if (!isEmpty(place) && !isDeepStrictEqual(place, { parentRunId: asker.id }))
      throw new AppError('REQUEST_INVALID', "checkpoint: A command answers what the thread's last run asks.");
    return this.inputs.finish(principal, asker, parseDecisions(resume, asker.inputs ?? []));
  }
}

/** Returns a request that goes on where the thread has stopped. */
function withoutPlace(body: RunRequest): RunRequest {
  return { ...body, checkpoint: undefined, checkpoint_id: undefined };
}

/** A request as it came, and with what its assistant brings. */
interface SentStart {
  readonly body: RunRequest;
  readonly asked: RunRequest;
}

/** @throws AppError REQUEST_INVALID where a command gives the run that goes on something else than what it began with */
function refuseChanges({ body, asked }: SentStart, { given = {} }: Run): void {
  if (!isEmpty(body.input))
    throw new AppError('REQUEST_INVALID', 'input: Send an input or a command, not both.');
  for (const name of ['context', 'configurable'] as const) {
    const sent = givenIn(body)[name];
    const isSame = [sent, givenIn(asked)[name]].some((values) => isDeepStrictEqual(values, given[name]));
    if (!isEmpty(sent) && !isSame) {
      const detail = 'A run that has asked goes on with what it was started with.';
      throw new AppError('REQUEST_INVALID', `${name}: ${detail} Send the same value, or none.`);
    }
  }
}

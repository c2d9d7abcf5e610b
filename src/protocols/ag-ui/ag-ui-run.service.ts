import { Injectable } from '@nestjs/common';
import { getAuthentication } from '../../auth/authentication.js';
import { AppError } from '../../errors.js';
import { readLastEventId } from '../../http/last-event-id.js';
import { validate } from '../../http/validate.js';
import type { WebRequest } from '../../http/http.types.js';
import type { Principal } from '../../principal.js';
import { selectBranch } from '../../runs/branches.js';
import type { Run } from '../../runs/run.js';
import { RunService, type StartRunRequest } from '../../runs/run.service.js';
import { FileAddresses } from '../../streams/file-addresses.js';
import { CursorCheck, readCursor, readFromStart, type RunReader } from '../../streams/run-reader.js';
import { messageSchema } from '../../streams/start-run.schemas.js';
import { MessageRuns } from '../message-runs.js';
import { listDecided, ThreadInputs, type Decisions } from '../thread-inputs.js';
import { currentRun, ThreadTranscripts } from '../transcript/thread-transcripts.js';
import { Transcript } from '../transcript/transcript.js';
import {
  hasState,
  readChangedState,
  readClientTools,
  readDecisions,
  readNames,
  readResults,
  toNote,
  findQuestion,
  runInputSchema,
  type RunInput,
} from './ag-ui-input.js';
import { toAgUiMessages } from './ag-ui-messages.js';
import type { AgUiRun } from './ag-ui-run.js';

/** A run, and how its client is to be shown it. */
export interface AgUiView {
  readonly reader: RunReader;
  readonly run: AgUiRun;
  /** True if the client may have some of the run's messages already, or none of the thread's. */
  readonly joins: boolean;
}

/** The place in its thread that a request gives to a run. */
interface FoundPlace {
  readonly place: Pick<StartRunRequest, 'parentRunId' | 'replaces'>;
  /** The id of the run that comes before it in its branch; null if there is none. */
  readonly after: string | null;
}

/** Runs as AG-UI's clients ask for them. */
@Injectable()
export class AgUiRuns {
  constructor(
    private readonly runs: RunService,
    private readonly inputs: ThreadInputs,
    private readonly messages: MessageRuns,
    private readonly transcripts: ThreadTranscripts,
    private readonly cursors: CursorCheck,
    private readonly files: FileAddresses,
  ) {}

  /**
   * Starts the run that a RunAgentInput asks for, or the one that goes on with its answers; or finds it again: by a `Last-Event-ID`,
   * by the same `runId`, or by the same answers.
   *
   * @throws AppError REQUEST_INVALID, CURSOR_INVALID, and what {@link RunService.start} and {@link ThreadInputs.answerAll} refuse
   */
  async run(request: WebRequest): Promise<AgUiView> {
    const input = validate(runInputSchema, request.body, 'body');
    const reader = await this.start(request, input);
    const { run, cursor } = reader;
    const { threadId, runId, messages: history } = input;
    return {
      reader,
      run: {
        threadId,
        runId,
        history,
        earlier: await this.messages.readLogs(run),
        dialect: chooseDialect(input),
      },
      joins: cursor.seq === 0 && run.lastSeq > 0,
    };
  }

  /**
   * Finds the run that a client joins: the thread's current one. Undefined when there is nothing to show.
   *
   * @throws AppError REQUEST_INVALID
   */
  async connect(request: WebRequest): Promise<AgUiView | undefined> {
    const input = validate(runInputSchema, request.body, 'body');
    const runs = await this.listRuns(request, input.threadId);
    const run = currentRun(runs);
    if (!run) return undefined;

    const earlier = await this.transcripts.read(selectBranch(runs, run.id).slice(0, -1), getQuestionId, {
      next: run,
    });
    earlier.ask(getQuestionId(run), run);
    const dialect = chooseDialect(input);
    return {
      reader: readFromStart(run),
      run: {
        threadId: input.threadId,
        runId: readNames(run).runId,
        history: toAgUiMessages(earlier.entries, { dialect }),
        state: earlier.state,
        earlier: await this.messages.readLogs(run),
        decidedIds: listDecided(run),
        dialect,
      },
      joins: true,
    };
  }

  private async start(request: WebRequest, input: RunInput): Promise<RunReader> {
    const { principal } = getAuthentication(request);
    const lastEventId = readLastEventId(request);
    if (lastEventId) {
      const run = await this.runs.get(principal, readCursor(lastEventId).runId);
      return this.cursors.locate(run, lastEventId);
    }
    const decisions = await this.readAnswers(principal, input);
    if (decisions) return readFromStart(await this.inputs.answerAll(principal, input.threadId, decisions));
    const { id, text, files: given } = findQuestion(input);
    const files = this.files.toMessageFiles(given);
    const isSilent = files.length > 0 && text.trim() === '';
    const message = isSilent ? '' : validate(messageSchema, text, 'message');
    const idempotencyKey = `ag-ui:${input.runId}`;
    const { threadId } = input;
    // The thread may have changed since: the request would no longer mean the same place.
    const started = await this.messages.findStarted(principal, idempotencyKey);
    if (started?.threadId === threadId && started.message === message) return readFromStart(started);
    const agent = getAgentName(request);
    const { place, after } = await this.findPlace(principal, input, id);
    const state = await this.readChangedState(input, after);
    const run = await this.runs.start({
      principal,
      message,
      files,
      threadId,
      createThread: true,
      metadata: toNote(input, id),
      clientTools: readClientTools(input),
      idempotencyKey,
      ...place,
      ...(state && { input: state }),
      ...(agent && { agent }),
    });
    return readFromStart(run);
  }

  /** Starts a run in the place of a message that the thread already has: clients edit and regenerate under the same ids. */
  private async findPlace(
    principal: Principal,
    { threadId, runId, parentRunId }: RunInput,
    questionId: string,
  ): Promise<FoundPlace> {
    let newest: Run | undefined;
    // Its first version, so that a repeated request means the same.
    let asked: Run | undefined;
    for await (const run of this.messages.readNewest(principal, threadId)) {
      const names = readNames(run);
      if (parentRunId && names.runId === parentRunId)
        return { place: { parentRunId: run.id }, after: run.id };
      // A request that comes twice at once is about what it was about at first.
      if (names.runId === runId) continue;
      newest ??= run;
      if (names.questionId === questionId) asked = run;
    }
    if (!asked) return { place: {}, after: newest?.id ?? null };
    return { place: { replaces: asked.id }, after: await this.messages.findTurnParentId(asked) };
  }

  /** A run begins with the state that the run before it in its branch has left. */
  private async readChangedState(input: RunInput, after: string | null) {
    if (!hasState(input)) return undefined;
    if (after === null) return readChangedState(input);
    return readChangedState(
      input,
      (await this.transcripts.readAnswer({ id: after }, new Transcript())).state,
    );
  }

  /** The answers to interrupts, and the results of the client's tools. Some clients also keep a tool message of what they have decided. */
  private async readAnswers(principal: Principal, input: RunInput): Promise<Decisions | undefined> {
    const decisions = readDecisions(input);
    const results = readResults(input);
    if (!decisions || !results) return decisions ?? results;
    const { inputs = [] } = await this.inputs.lastAsker(principal, input.threadId);
    const own = inputs.flatMap((asked) => (asked.kind === 'client-tool' ? [asked.toolCallId] : []));
    return {
      ...Object.fromEntries(Object.entries(results).filter(([toolCallId]) => own.includes(toolCallId))),
      ...decisions,
    };
  }

  private async listRuns(request: WebRequest, threadId: string): Promise<Run[]> {
    try {
      return await this.transcripts.listRuns(getAuthentication(request).principal, threadId);
    } catch (error) {
      // Clients connect to the threads that they have just thought of.
      if (error instanceof AppError && error.code === 'NOT_FOUND') return [];
      throw error;
    }
  }
}

function getQuestionId(run: Run): string {
  return readNames(run).questionId;
}

/** CopilotKit calls an agent `default` if none is named. */
function getAgentName({ params }: WebRequest): string | undefined {
  const { agentId } = params;
  return typeof agentId === 'string' && agentId !== 'default' ? agentId : undefined;
}

/** Clients before 1.0 do not say which version they speak. */
function chooseDialect({ protocolVersion }: RunInput): AgUiRun['dialect'] {
  return protocolVersion ? '1.0' : '0';
}

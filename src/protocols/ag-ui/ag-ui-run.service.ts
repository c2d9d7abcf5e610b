import { Injectable } from '@nestjs/common';
import { getAuthentication } from '../../auth/authentication.js';
import { AppError } from '../../errors.js';
import { readLastEventId } from '../../http/last-event-id.js';
import { validate } from '../../http/validate.js';
import type { WebRequest } from '../../http/http.types.js';
import type { Principal } from '../../principal.js';
import type { Run } from '../../runs/run.js';
import { RunService } from '../../runs/run.service.js';
import { CursorCheck, readCursor, readFromStart, type RunReader } from '../../streams/run-reader.js';
import { messageSchema } from '../../streams/start-run.schemas.js';
import { MessageRuns } from '../message-runs.js';
import { listDecided, ThreadInputs, type Decisions } from '../thread-inputs.js';
import { currentRun, ThreadTranscripts } from '../transcript/thread-transcripts.js';
import {
  readClientTools,
  readDecisions,
  readNames,
  readResults,
  toNote,
  findQuestion,
  runInputSchema,
  type RunInput,
} from './ag-ui-input.js';
import { toAgUiMessage } from './ag-ui-messages.js';
import type { AgUiRun } from './ag-ui.mapper.js';

/** A run, and how its client is to be shown it. */
export interface AgUiView {
  readonly reader: RunReader;
  readonly run: AgUiRun;
  /** True if the client may have some of the run's messages already, or none of the thread's. */
  readonly joins: boolean;
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

    const earlier = await this.transcripts.read(runs.slice(0, runs.indexOf(run)), getQuestionId);
    earlier.ask(getQuestionId(run), run.message);
    return {
      reader: readFromStart(run),
      run: {
        threadId: input.threadId,
        runId: readNames(run).runId,
        history: earlier.entries.map(toAgUiMessage),
        state: earlier.state,
        earlier: await this.messages.readLogs(run),
        decidedIds: listDecided(run),
        dialect: chooseDialect(input),
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
    const { id, text } = findQuestion(input);
    const agent = getAgentName(request);
    const run = await this.runs.start({
      principal,
      message: validate(messageSchema, text, 'message'),
      threadId: input.threadId,
      createThread: true,
      metadata: toNote(input, id),
      clientTools: readClientTools(input),
      idempotencyKey: `ag-ui:${input.runId}`,
      ...(agent && { agent }),
    });
    return readFromStart(run);
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

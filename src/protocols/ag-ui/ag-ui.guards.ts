import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { authOf } from '../../auth/authentication.js';
import { startRunSchema } from '../../chat/dto/start-run.dto.js';
import { lastEventIdOf } from '../../chat/run.guard.js';
import { attachReader, CursorCheck, readCursor, type RunReader } from '../../chat/run-reader.js';
import { AppError } from '../../errors.js';
import { startOf } from '../../events/cursor.js';
import { validate } from '../../http/validate.js';
import type { WebRequest, WebResponse } from '../../http/web.exchange.js';
import type { Run } from '../../runs/run.js';
import { RunService } from '../../runs/run.service.js';
import { MessageRuns } from '../message.runs.js';
import { answeredIn, ThreadApprovals } from '../thread.approvals.js';
import { currentRun, ThreadTranscripts } from '../transcript/thread.transcripts.js';
import { answersOf, namesOf, noteOf, questionOf, runInputSchema, type RunInput } from './ag-ui.input.js';
import { toAgUiMessage } from './ag-ui.messages.js';
import type { AgUiRun } from './ag-ui.mapper.js';

/** What a guard has found out for the handler, beside the reader. */
interface AgUiRequest extends WebRequest {
  agUi?: AgUiViewing;
}

/** How a client is to be shown a run. */
export interface AgUiViewing {
  readonly run: AgUiRun;
  /** It may have some of the run's messages already, or none of the thread's. */
  readonly joins: boolean;
}

export function viewingOf(request: AgUiRequest): AgUiViewing | undefined {
  return request.agUi;
}

/**
 * Starts the run that a RunAgentInput asks for, or the one that goes on with its answers; or finds it again: by a `Last-Event-ID`, by
 * the same `runId`, or by the same answers.
 * A guard, so that everything that can be refused is refused before the stream.
 */
@Injectable()
export class AgUiRunGuard implements CanActivate {
  constructor(
    private readonly runs: RunService,
    private readonly approvals: ThreadApprovals,
    private readonly messages: MessageRuns,
    private readonly cursors: CursorCheck,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<AgUiRequest>();
    const response = context.switchToHttp().getResponse<WebResponse>();
    const input = validate(runInputSchema, request.body, 'body');
    const reader = await this.readerOf(request, input);
    attachReader(request, { ...reader, response });

    const { run, cursor } = reader;
    const { threadId, runId, messages: history } = input;
    request.agUi = {
      run: { threadId, runId, history, earlier: await this.messages.said(run), dialect: dialectOf(input) },
      joins: cursor.seq === 0 && run.lastSeq > 0,
    };
    return true;
  }

  private async readerOf(request: WebRequest, input: RunInput): Promise<Omit<RunReader, 'response'>> {
    const { principal } = authOf(request);
    const lastEventId = lastEventIdOf(request);
    if (lastEventId) {
      const run = await this.runs.get(principal, readCursor(lastEventId).runId);
      return { run, ...(await this.cursors.place(run, lastEventId)) };
    }
    const answers = answersOf(input);
    if (answers) {
      const run = await this.approvals.answerAll(principal, input.threadId, answers);
      return { run, cursor: startOf(run.id) };
    }
    const { id, text } = questionOf(input);
    const agent = agentOf(request);
    const run = await this.runs.start({
      principal,
      message: validate(startRunSchema.shape.message, text, 'message'),
      threadId: input.threadId,
      createThread: true,
      metadata: noteOf(input, id),
      idempotencyKey: `ag-ui:${input.runId}`,
      ...(agent && { agent }),
    });
    return { run, cursor: startOf(run.id) };
  }
}

/** Finds the run that a client joins: the thread's current one. Without one, the handler has nothing to show. */
@Injectable()
export class AgUiConnectGuard implements CanActivate {
  constructor(
    private readonly transcripts: ThreadTranscripts,
    private readonly messages: MessageRuns,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<AgUiRequest>();
    const response = context.switchToHttp().getResponse<WebResponse>();
    const input = validate(runInputSchema, request.body, 'body');
    const runs = await this.runsOf(request, input.threadId);
    const run = currentRun(runs);
    if (!run) return true;

    const earlier = await this.transcripts.read(runs.slice(0, runs.indexOf(run)), questionIdOf);
    earlier.ask(questionIdOf(run), run.message);
    attachReader(request, { run, cursor: startOf(run.id), response });
    request.agUi = {
      run: {
        threadId: input.threadId,
        runId: namesOf(run).runId,
        history: earlier.entries.map(toAgUiMessage),
        earlier: await this.messages.said(run),
        answered: answeredIn(run),
        dialect: dialectOf(input),
      },
      joins: true,
    };
    return true;
  }

  private async runsOf(request: WebRequest, threadId: string) {
    try {
      return await this.transcripts.runsOf(authOf(request).principal, threadId);
    } catch (error) {
      // Clients connect to the threads that they have just thought of.
      if (error instanceof AppError && error.code === 'NOT_FOUND') return [];
      throw error;
    }
  }
}

function questionIdOf(run: Run): string {
  return namesOf(run).questionId;
}

/** CopilotKit calls an agent `default` when nobody has named one. */
function agentOf({ params }: WebRequest): string | undefined {
  const { agentId } = params;
  return typeof agentId === 'string' && agentId !== 'default' ? agentId : undefined;
}

/** Clients before 1.0 do not say which version they speak. */
function dialectOf({ protocolVersion }: RunInput): AgUiRun['dialect'] {
  return protocolVersion ? '1.0' : '0';
}

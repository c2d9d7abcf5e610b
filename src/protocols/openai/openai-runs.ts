import { Injectable } from '@nestjs/common';
import { lastValueFrom, takeUntil, tap, timer } from 'rxjs';
import { AppError } from '../../errors.js';
import type { RequestedInput } from '../../events/requested-input.js';
import { getAuthentication } from '../../auth/authentication.js';
import type { WebRequest } from '../../http/http.types.js';
import type { Principal } from '../../principal.js';
import { EventLog } from '../../runs/event-log.js';
import type { Run } from '../../runs/run.js';
import { RunFeed } from '../../runs/run.feed.js';
import { RunService } from '../../runs/run.service.js';
import { readInto } from '../../runs/read-log.js';
import type { ClientTool } from '../../events/client-tool.js';
import type { ToAddress } from '../../events/file-address.js';
import { FileAddresses } from '../../streams/file-addresses.js';
import { MessageRuns } from '../message-runs.js';
import { ThreadInputs } from '../thread-inputs.js';
import { ThreadRuns } from '../thread-runs.js';
import type { ResponseRequest } from './openai.dto.js';
import { ResponsesMapper } from './responses.mapper.js';
import type { FunctionTool, ResponseObject } from './responses.types.js';

/** Maximum wait for a cancelled response to end before it is returned unfinished, in milliseconds. */
const CANCEL_WAIT_MS = 2_000;

/** Runs as OpenAI's clients know them: as responses. */
@Injectable()
export class OpenAiRuns {
  constructor(
    private readonly runs: RunService,
    private readonly threads: ThreadRuns,
    private readonly inputs: ThreadInputs,
    private readonly messages: MessageRuns,
    private readonly feed: RunFeed,
    private readonly log: EventLog,
    private readonly files: FileAddresses,
  ) {}

  /**
   * The run that answers what is asked; or that goes on with answers to approvals.
   *
   * @throws AppError what {@link ThreadRuns.start} and {@link ThreadInputs.answerAll} refuse; NOT_FOUND for a previous response that
   *   is not the principal's
   */
  async start(request: WebRequest, body: ResponseRequest): Promise<Run> {
    const { agent, metadata, background, previousResponseId, clientTools } = body;
    const { principal } = getAuthentication(request);
    const before =
      previousResponseId === undefined ? undefined : await this.find(principal, previousResponseId);
    const threadId = before?.threadId ?? body.threadId;
    if ('answers' in body) {
      if (before) return this.inputs.finish(principal, before, body.answers);
      return this.inputs.answerAll(principal, threadId ?? '', body.answers);
    }
    const own = { background, ...(previousResponseId !== undefined && { previousResponseId }) };
    return this.threads.start(request, {
      ...body.question,
      agent,
      clientTools,
      metadata: { ...metadata, [OWN]: own },
      ...(threadId !== undefined && { threadId }),
    });
  }

  /** @throws AppError NOT_FOUND */
  async find(principal: Principal, responseId: string): Promise<Run> {
    const [, runId] = RESPONSE_ID.exec(responseId) ?? [];
    if (runId === undefined) throw new AppError('NOT_FOUND', `There is no response '${responseId}'.`);
    return this.runs.get(principal, runId);
  }

  /** For a reader of the run. */
  async createMapper(run: Run): Promise<ResponsesMapper> {
    return createResponsesMapper(run, await this.messages.readApprovals(run), this.files.toAddress);
  }

  /** The response as it stands. */
  async response(run: Run): Promise<ResponseObject> {
    const approvals = await this.messages.readApprovals(run);
    const { toAddress } = this.files;
    const create = () => createResponsesMapper(run, approvals, toAddress);
    return (await readInto(this.log, run.id, create)).response;
  }

  /** Stops a response and waits for it to end, as the protocol answers with the cancelled response. */
  async cancel(principal: Principal, responseId: string): Promise<ResponseObject> {
    const run = await this.find(principal, responseId);
    await this.runs.cancel(principal, run.id);
    const mapper = await this.createMapper(run);
    const events = this.feed.follow({ runId: run.id, afterSeq: 0 });
    await lastValueFrom(events.pipe(takeUntil(timer(CANCEL_WAIT_MS)), tap(mapper.map)), {
      defaultValue: undefined,
    });
    return mapper.response;
  }
}

const RESPONSE_ID = /^resp_([A-Za-z0-9_-]{1,64})$/;

/** Under this name a run's metadata has what the protocol wants to hear again. */
const OWN = 'openai';

interface Own {
  readonly background?: boolean;
  readonly previousResponseId?: string;
}

/** True when the response was asked for with `background`. */
export function isBackground({ metadata }: Pick<Run, 'metadata'>): boolean {
  return (metadata[OWN] as Own | undefined)?.background ?? false;
}

function toFunctionTool({ name, description, inputSchema }: ClientTool): FunctionTool {
  return { type: 'function', name, description, parameters: inputSchema ?? null, strict: null };
}

function createResponsesMapper(
  run: Run,
  approvals: readonly RequestedInput[],
  toAddress: ToAddress,
): ResponsesMapper {
  const { [OWN]: own, ...metadata } = run.metadata;
  // A run that goes on after approvals has the notes of the one that asked.
  const previous =
    run.resumeOf === undefined ? (own as Own | undefined)?.previousResponseId : `resp_${run.resumeOf}`;
  const facts = {
    id: `resp_${run.id}`,
    object: 'response',
    created_at: Math.floor(run.createdAt / 1_000),
    background: isBackground(run),
    conversation: { id: run.threadId },
    incomplete_details: null,
    instructions: null,
    metadata,
    model: run.agent,
    parallel_tool_calls: true,
    previous_response_id: previous ?? null,
    temperature: null,
    tool_choice: 'auto',
    tools: (run.given?.clientTools ?? []).map(toFunctionTool),
    top_p: null,
  } as const;
  return new ResponsesMapper(facts, approvals, toAddress);
}

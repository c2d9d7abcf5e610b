import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { FileAddresses } from '../../streams/file-addresses.js';
import { messageSchema } from '../../streams/start-run.schemas.js';
import { AppError, type ErrorCode } from '../../errors.js';
import { toSecurityEvent } from '../../http/refusals.js';
import { validate } from '../../http/validate.js';
import type { Principal } from '../../principal.js';
import { RunService } from '../../runs/run.service.js';
import { ThreadService } from '../../runs/thread.service.js';
import { SecurityLog } from '../../security/security-log.service.js';
import { ThreadInputs } from '../thread-inputs.js';
import { ThreadTranscripts } from '../transcript/thread-transcripts.js';
import { toDecision } from './langgraph-decisions.js';
import {
  AS_ASKED,
  findPlace,
  findStrategy,
  givenIn,
  isEmpty,
  metadataIn,
  toNote,
  findQuestion,
  respondSchema,
  runStartSchema,
  withAssistant,
  type commandSchema,
} from './langgraph-input.js';
import { LangGraphAssistants } from './langgraph-assistants.js';
import { seqBefore } from './langgraph.mapper.js';

export type CommandReply =
  | {
      readonly type: 'success';
      readonly id: number;
      readonly result: { readonly run_id?: string };
      readonly meta?: { readonly applied_through_seq: number };
    }
  | {
      readonly type: 'error';
      readonly id: number;
      readonly error: 'invalid_argument' | 'no_such_interrupt' | 'unknown_command';
      readonly message: string;
    };

/** Error codes of an interrupt that can no longer be answered. */
const GONE: ReadonlySet<ErrorCode> = new Set(['NOT_FOUND', 'INPUT_CLOSED']);

/** Runs the commands that clients send to a thread. */
@Injectable()
export class LangGraphCommands {
  constructor(
    private readonly runs: RunService,
    private readonly inputs: ThreadInputs,
    private readonly threads: ThreadService,
    private readonly transcripts: ThreadTranscripts,
    private readonly security: SecurityLog,
    private readonly assistants: LangGraphAssistants,
    private readonly files: FileAddresses,
  ) {}

  /** Refusals are answers here: the client tells them from a broken connection. */
  async execute(
    principal: Principal,
    threadId: string,
    { id, method, params }: z.output<typeof commandSchema>,
  ): Promise<CommandReply> {
    try {
      switch (method) {
        case 'run.start':
          return { type: 'success', id, ...(await this.start(principal, threadId, params)) };
        case 'input.respond':
          await this.respond(principal, threadId, params);
          return { type: 'success', id, result: {} };
        default: {
          const message = `'${method}' is not supported here. Use run.start or input.respond.`;
          return { type: 'error', id, error: 'unknown_command', message };
        }
      }
    } catch (error) {
      // A limit is HTTP's to say, with the time to come back.
      if (!(error instanceof AppError) || error.code === 'RATE_LIMITED') throw error;
      const refusal = toSecurityEvent(error, { principal, subject: `LangGraph ${method}` });
      if (refusal) this.security.record(refusal);
      const isGone = method === 'input.respond' && GONE.has(error.code);
      const code = isGone ? 'no_such_interrupt' : 'invalid_argument';
      return { type: 'error', id, error: code, message: error.message };
    }
  }

  /** With the last response that was missing the run goes on, and the thread's readers see it. */
  private async respond(principal: Principal, threadId: string, params: unknown): Promise<void> {
    const { responses, added } = validate(respondSchema, params, 'params');
    const { inputs = [] } = await this.inputs.lastAsker(principal, threadId);
    const answers = responses.map(([interruptId, response], index) => {
      const asked = inputs.find(({ inputId }) => inputId === interruptId);
      // The messages are those of all the answers.
      return [
        interruptId,
        { ...toDecision(response, asked), ...(index === 0 && added && { added }) },
      ] as const;
    });
    await this.inputs.answer(principal, threadId, Object.fromEntries(answers));
  }

  private async start(principal: Principal, threadId: string, params: unknown) {
    const sent = validate(runStartSchema, params, 'params');
    const version = await this.assistants.findVersion(principal, sent.assistant_id);
    const agent = version?.agent ?? sent.assistant_id;
    const { input, files } = this.assistants.splitInput(agent, sent.input);
    const start = withAssistant({ ...sent, input }, version);
    const place = findPlace(sent);
    const question = place.replaces === undefined ? findQuestion(start) : AS_ASKED;
    const isSilent = question === AS_ASKED || (files !== undefined && question.text.trim() === '');
    const notes = metadataIn(sent);
    const notesThread = !isEmpty(notes) && (await this.isMissing(principal, threadId));
    const run = await this.runs.start({
      principal,
      threadId,
      createThread: true,
      agent,
      message: isSilent ? '' : validate(messageSchema, question.text, 'message'),
      ...(files && { files: this.files.toMessageFiles(files) }),
      ...givenIn(place.replaces === undefined ? start : { ...start, input: null }),
      ...place,
      ...findStrategy(start),
      metadata: {
        ...metadataIn(start),
        ...toNote({ id: question.id, ...(version && { assistantId: sent.assistant_id }) }),
      },
    });
    // As in LangGraph: the thread is created by this run, with its metadata.
    if (notesThread) await this.threads.change(principal, threadId, { metadata: notes });
    const runs = await this.transcripts.listRuns(principal, threadId);
    const index = runs.findIndex((candidate) => candidate.id === run.id);
    return { result: { run_id: run.id }, meta: { applied_through_seq: seqBefore(index) } };
  }
  private async isMissing(principal: Principal, threadId: string): Promise<boolean> {
    try {
      await this.threads.get(principal, threadId);
      return false;
    } catch (error) {
      if (error instanceof AppError && error.code === 'NOT_FOUND') return true;
      throw error;
    }
  }
}

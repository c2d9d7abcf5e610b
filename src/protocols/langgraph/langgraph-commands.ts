import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { messageSchema } from '../../streams/start-run.schemas.js';
import { AppError, type ErrorCode } from '../../errors.js';
import { toSecurityEvent } from '../../http/refusals.js';
import { validate } from '../../http/validate.js';
import type { Principal } from '../../principal.js';
import { RunService } from '../../runs/run.service.js';
import { SecurityLog } from '../../security/security-log.service.js';
import { ThreadInputs } from '../thread-inputs.js';
import { ThreadTranscripts } from '../transcript/thread-transcripts.js';
import { toDecision } from './langgraph-decisions.js';
import {
  givenIn,
  metadataIn,
  toNote,
  findQuestion,
  respondSchema,
  runStartSchema,
  type commandSchema,
} from './langgraph-input.js';
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
    private readonly transcripts: ThreadTranscripts,
    private readonly security: SecurityLog,
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
    const responses = validate(respondSchema, params, 'params');
    const { inputs = [] } = await this.inputs.lastAsker(principal, threadId);
    const answers = responses.map(([interruptId, response]) => {
      const asked = inputs.find(({ inputId }) => inputId === interruptId);
      return [interruptId, toDecision(response, asked)] as const;
    });
    await this.inputs.answer(principal, threadId, Object.fromEntries(answers));
  }

  private async start(principal: Principal, threadId: string, params: unknown) {
    const start = validate(runStartSchema, params, 'params');
    const question = findQuestion(start);
    const run = await this.runs.start({
      principal,
      threadId,
      createThread: true,
      agent: start.assistant_id,
      message: validate(messageSchema, question.text, 'message'),
      ...givenIn(start),
      metadata: { ...metadataIn(start), ...(question.id && toNote(question.id)) },
    });
    const runs = await this.transcripts.listRuns(principal, threadId);
    const index = runs.findIndex((candidate) => candidate.id === run.id);
    return { result: { run_id: run.id }, meta: { applied_through_seq: seqBefore(index) } };
  }
}

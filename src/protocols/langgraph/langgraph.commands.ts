import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { startRunSchema } from '../../chat/dto/start-run.dto.js';
import { AppError, type ErrorCode } from '../../errors.js';
import { validate } from '../../http/validate.js';
import type { Principal } from '../../principal.js';
import { RunService } from '../../runs/run.service.js';
import { ThreadApprovals } from '../thread.approvals.js';
import { ThreadTranscripts } from '../transcript/thread.transcripts.js';
import { answerOf } from './langgraph.answers.js';
import { noteOf, questionOf, respondSchema, runStartSchema, type commandSchema } from './langgraph.input.js';
import { seqBefore } from './langgraph.mapper.js';

export type CommandAnswer =
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

/** Why an interrupt cannot be answered that somebody could have answered once. */
const GONE: ReadonlySet<ErrorCode> = new Set(['NOT_FOUND', 'APPROVAL_CLOSED']);

/** What clients ask of a thread. */
@Injectable()
export class LangGraphCommands {
  constructor(
    private readonly runs: RunService,
    private readonly approvals: ThreadApprovals,
    private readonly transcripts: ThreadTranscripts,
  ) {}

  /** Refusals are answers here: the client tells them from a broken connection. */
  async execute(
    principal: Principal,
    threadId: string,
    { id, method, params }: z.output<typeof commandSchema>,
  ): Promise<CommandAnswer> {
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
      if (!(error instanceof AppError)) throw error;
      const isGone = method === 'input.respond' && GONE.has(error.code);
      const code = isGone ? 'no_such_interrupt' : 'invalid_argument';
      return { type: 'error', id, error: code, message: error.message };
    }
  }

  /** With the last response that was missing the run goes on, and whoever follows the thread hears it. */
  private async respond(principal: Principal, threadId: string, params: unknown): Promise<void> {
    const responses = validate(respondSchema, params, 'params');
    const { approvals = [] } = await this.approvals.lastAsker(principal, threadId);
    const answers = responses.map(([interruptId, response]) => {
      const asked = approvals.find(({ approvalId }) => approvalId === interruptId);
      return [interruptId, answerOf(response, asked)] as const;
    });
    await this.approvals.answer(principal, threadId, Object.fromEntries(answers));
  }

  private async start(principal: Principal, threadId: string, params: unknown) {
    const start = validate(runStartSchema, params, 'params');
    const question = questionOf(start);
    const run = await this.runs.start({
      principal,
      threadId,
      createThread: true,
      agent: start.assistant_id,
      message: validate(startRunSchema.shape.message, question.text, 'message'),
      ...(question.id && { metadata: noteOf(question.id) }),
    });
    const runs = await this.transcripts.runsOf(principal, threadId);
    const index = runs.findIndex((candidate) => candidate.id === run.id);
    return { result: { run_id: run.id }, meta: { applied_through_seq: seqBefore(index) } };
  }
}

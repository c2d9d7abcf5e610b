import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { startRunSchema } from '../../chat/dto/start-run.dto.js';
import { AppError } from '../../errors.js';
import { validate } from '../../http/validate.js';
import type { Principal } from '../../principal.js';
import { RunService } from '../../runs/run.service.js';
import { ThreadTranscripts } from '../transcript/thread.transcripts.js';
import { noteOf, questionOf, runStartSchema, type commandSchema } from './langgraph.input.js';
import { seqBefore } from './langgraph.mapper.js';

export type CommandAnswer =
  | {
      readonly type: 'success';
      readonly id: number;
      readonly result: { readonly run_id: string };
      readonly meta: { readonly applied_through_seq: number };
    }
  | {
      readonly type: 'error';
      readonly id: number;
      readonly error: 'invalid_argument' | 'unknown_command';
      readonly message: string;
    };

/** What clients ask of a thread. */
@Injectable()
export class LangGraphCommands {
  constructor(
    private readonly runs: RunService,
    private readonly transcripts: ThreadTranscripts,
  ) {}

  /** Refusals are answers here: the client tells them from a broken connection. */
  async execute(
    principal: Principal,
    threadId: string,
    { id, method, params }: z.output<typeof commandSchema>,
  ): Promise<CommandAnswer> {
    if (method !== 'run.start') {
      const message = `'${method}' is not supported here. Use run.start.`;
      return { type: 'error', id, error: 'unknown_command', message };
    }
    try {
      return { type: 'success', id, ...(await this.start(principal, threadId, params)) };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return { type: 'error', id, error: 'invalid_argument', message: error.message };
    }
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

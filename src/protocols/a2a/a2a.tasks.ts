import { Injectable } from '@nestjs/common';
import { lastValueFrom, tap } from 'rxjs';
import { startRunSchema } from '../../chat/dto/start-run.dto.js';
import { validate } from '../../http/validate.js';
import type { Principal } from '../../principal.js';
import { EventLog } from '../../runs/event.log.js';
import { hasEnded, type Run } from '../../runs/run.js';
import { RunFeed } from '../../runs/run.feed.js';
import { RunService } from '../../runs/run.service.js';
import { readWholeLog } from '../../runs/whole.log.js';
import type { A2aTask } from './a2a.events.js';
import { noteOf, questionIdOf, type Send } from './a2a.input.js';
import { A2aMapper } from './a2a.mapper.js';
import { statusOf } from './a2a.states.js';
import { RpcError } from './json-rpc.js';

/** Runs as tasks. */
@Injectable()
export class A2aTasks {
  constructor(
    private readonly runs: RunService,
    private readonly feed: RunFeed,
    private readonly log: EventLog,
  ) {}

  /** Starts a task, or finds the one that the same message has started. @throws AppError, RpcError */
  async send(principal: Principal, send: Send): Promise<Run> {
    const { messageId, contextId, taskId, parts } = send.message;
    if (taskId) {
      const { status } = await this.runs.get(principal, taskId);
      throw new RpcError(
        'UNSUPPORTED_OPERATION',
        `Task '${taskId}' takes no further message (${status}). Send a new one in its context.`,
      );
    }
    return this.runs.start({
      principal,
      message: validate(startRunSchema.shape.message, parts.map(({ text }) => text).join('\n'), 'message'),
      ...(contextId && { threadId: contextId }),
      createThread: true,
      metadata: noteOf(send),
      idempotencyKey: `a2a:${messageId}`,
    });
  }

  /** The task as it is now. */
  async read(run: Run): Promise<A2aTask> {
    const mapper = this.mapperOf(run);
    for (const recorded of await readWholeLog(this.log, run.id)) mapper.map(recorded);
    return mapper.task;
  }

  /** The task as it is now, without what was said. */
  summary(run: Run): A2aTask {
    return { ...this.mapperOf(run).task, status: statusOf(run) };
  }

  /** The task once it has ended. */
  async finished(run: Run): Promise<A2aTask> {
    const mapper = this.mapperOf(run);
    const events = this.feed.follow({ runId: run.id, afterSeq: 0 });
    await lastValueFrom(events.pipe(tap((recorded) => void mapper.map(recorded))), {
      defaultValue: undefined,
    });
    return mapper.task;
  }

  /** @throws AppError NOT_FOUND; RpcError when it has ended */
  async cancel(principal: Principal, taskId: string): Promise<A2aTask> {
    const run = await this.runs.get(principal, taskId);
    if (hasEnded(run))
      throw new RpcError('TASK_NOT_CANCELABLE', `Task '${taskId}' has ended (${run.status}).`);
    return this.finished(await this.runs.cancel(principal, taskId));
  }

  mapperOf(run: Run): A2aMapper {
    const { id: taskId, threadId: contextId, message: text, createdAt } = run;
    const question = { messageId: questionIdOf(run), text };
    return new A2aMapper({ taskId, contextId, question, createdAt });
  }
}

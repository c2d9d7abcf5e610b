import { Injectable } from '@nestjs/common';
import { lastValueFrom, tap } from 'rxjs';
import { messageSchema } from '../../streams/start-run.schemas.js';
import { validate } from '../../http/validate.js';
import type { Principal } from '../../principal.js';
import { EventLog } from '../../runs/event-log.js';
import { hasEnded, type Run } from '../../runs/run.js';
import { RunFeed } from '../../runs/run.feed.js';
import { RunService } from '../../runs/run.service.js';
import { readInto } from '../../runs/read-log.js';
import { FileAddresses } from '../../streams/file-addresses.js';
import { MessageRuns, type EarlierRun } from '../message-runs.js';
import { listDecided, ThreadInputs } from '../thread-inputs.js';
import type { A2aTask } from './a2a-events.js';
import { readDecisions, toNote, getQuestionId, readContent, type Send } from './a2a-input.js';
import { A2aMapper } from './a2a.mapper.js';
import { toA2aStatus } from './a2a-states.js';
import { RpcError } from './json-rpc.js';

/** Runs as tasks. A task goes on with the run that continues its own after approvals. */
@Injectable()
export class A2aTasks {
  constructor(
    private readonly runs: RunService,
    private readonly inputs: ThreadInputs,
    private readonly messages: MessageRuns,
    private readonly feed: RunFeed,
    private readonly log: EventLog,
    private readonly files: FileAddresses,
  ) {}

  /**
   * Starts a task, or finds the one that the same message has started; or gives a task the answers that it waits for.
   *
   * @returns the run that the sender is to watch
   * @throws AppError, RpcError
   */
  async send(principal: Principal, send: Send): Promise<Run> {
    const { messageId, contextId, taskId } = send.message;
    if (taskId) return this.decide(principal, taskId, send);
    const { text, files } = readContent(send);
    const isSilent = files.length > 0 && text.trim() === '';
    return this.runs.start({
      principal,
      message: isSilent ? '' : validate(messageSchema, text, 'message'),
      files: this.files.toMessageFiles(files),
      ...(contextId && { threadId: contextId }),
      createThread: true,
      metadata: toNote(send),
      idempotencyKey: `a2a:${messageId}`,
    });
  }

  /** The run that a task is at. @throws AppError NOT_FOUND */
  async find(principal: Principal, taskId: string): Promise<Run> {
    return this.messages.latest(await this.runs.get(principal, taskId));
  }

  /** The task as it is now. */
  async read(run: Run): Promise<A2aTask> {
    const earlier = await this.messages.earlier(run);
    return (await readInto(this.log, run.id, () => this.mapperAfter(earlier, run))).task;
  }

  /** The task as it is now, without what was said. */
  async summary(run: Run): Promise<A2aTask> {
    const [first = run] = await this.messages.before(run);
    return { ...this.newMapper(first).task, status: toA2aStatus(run) };
  }

  /** The task once it has ended, or waits for somebody. */
  async finished(run: Run): Promise<A2aTask> {
    const mapper = await this.createMapper(run);
    const events = this.feed.follow({ runId: run.id, afterSeq: 0 });
    await lastValueFrom(events.pipe(tap((recorded) => void mapper.map(recorded))), {
      defaultValue: undefined,
    });
    return mapper.task;
  }

  /** @throws AppError NOT_FOUND; RpcError when it has ended */
  async cancel(principal: Principal, taskId: string): Promise<A2aTask> {
    const run = await this.find(principal, taskId);
    if (hasEnded(run))
      throw new RpcError('TASK_NOT_CANCELABLE', `Task '${taskId}' has ended (${run.status}).`);
    return this.finished(await this.runs.cancel(principal, run.id));
  }

  /** For the log of this run: it has what the runs before it have said in the task. */
  async createMapper(run: Run): Promise<A2aMapper> {
    return this.mapperAfter(await this.messages.earlier(run), run);
  }

  private async decide(principal: Principal, taskId: string, send: Send): Promise<Run> {
    const run = await this.runs.get(principal, taskId);
    const { status } = await this.messages.latest(run);
    // Answers may come twice: then the task has gone on, and perhaps ended.
    const repeats = run.status === 'awaiting-input' && send.message.parts.some(({ data }) => data);
    if (status !== 'awaiting-input' && !repeats) {
      throw new RpcError(
        'UNSUPPORTED_OPERATION',
        `Task '${taskId}' takes no further message (${status}). Send a new one in its context.`,
      );
    }
    const result = await this.inputs.answer(principal, run.threadId, readDecisions(send));
    return result.continuedBy ? this.messages.latest(result.continuedBy) : result.run;
  }

  private mapperAfter(earlier: readonly EarlierRun[], run: Run): A2aMapper {
    const mapper = this.newMapper(earlier[0]?.run ?? run, listDecided(run));
    for (const { log } of earlier) for (const recorded of log) mapper.map(recorded);
    return mapper;
  }

  private newMapper(first: Run, decidedIds: ReadonlySet<string> = new Set()): A2aMapper {
    const { id: taskId, threadId: contextId, message: text, given, createdAt } = first;
    const question = { messageId: getQuestionId(first), text, files: given?.files ?? [] };
    const { toAddress } = this.files;
    return new A2aMapper({ taskId, contextId, question, createdAt, decidedIds, toAddress });
  }
}

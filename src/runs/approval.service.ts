import { Injectable, Logger } from '@nestjs/common';
import { AppError } from '../errors.js';
import { NOBODY_IN_TIME, type Approval, type ApprovalAnswer, type GivenAnswer } from '../events/approval.js';
import type { Principal } from '../principal.js';
import { parseInput } from '../tools/tool.call.js';
import { ToolRegistry } from '../tools/tool.registry.js';
import type { Run } from './run.js';
import { newId } from './run.ids.js';
import { RunService } from './run.service.js';
import { RunStore, type NewRun } from './run.store.js';
import { announceRun, Wakeups } from './wakeups.js';

/** How a run stands after an answer. */
export interface Decided {
  readonly run: Run;
  /** The run that goes on with what was decided; absent while answers are missing. */
  readonly continuedBy?: Run;
}

/** Takes what people decide on tool calls that wait for them, days later and in another process if need be. */
@Injectable()
export class ApprovalService {
  private readonly logger = new Logger(ApprovalService.name);

  constructor(
    private readonly service: RunService,
    private readonly runs: RunStore,
    private readonly wakeups: Wakeups,
    private readonly tools: ToolRegistry,
  ) {}

  /**
   * Gives answers, all or none. With the last missing one the run is continued by another, which makes the approved calls.
   * Repeating an answer is harmless, and gets what the first one got.
   *
   * @param answers by approval id
   * @throws AppError NOT_FOUND for a run or an approval; REQUEST_INVALID when edited arguments do not fit the tool; APPROVAL_CLOSED when
   *   it was decided otherwise, has expired, or the conversation went on without it
   */
  async answer(
    principal: Principal,
    runId: string,
    answers: Readonly<Record<string, ApprovalAnswer>>,
  ): Promise<Decided> {
    const run = await this.service.get(principal, runId);
    const at = Date.now();
    const given: Record<string, GivenAnswer> = {};
    for (const [approvalId, answer] of Object.entries(answers)) {
      const approval = approvalOf(run, approvalId);
      if (!approval.answer && (approval.expiresAt ?? Infinity) <= at) throw closed('It has expired.');
      if (answer.decision === 'edit') await this.checkFit(approval, answer.input);
      given[approvalId] = { ...answer, by: principal.userId, at };
    }
    return this.give(run, given);
  }

  /** Denies what has expired in this run: its agent is told that nobody decided in time. */
  async expire(run: Run, now: number): Promise<void> {
    const late = (run.approvals ?? []).filter(
      ({ answer, expiresAt = Infinity }) => !answer && expiresAt <= now,
    );
    const answer: GivenAnswer = {
      decision: 'deny',
      reason: 'Nobody decided in time.',
      by: NOBODY_IN_TIME,
      at: now,
    };
    try {
      await this.give(run, Object.fromEntries(late.map(({ approvalId }) => [approvalId, answer])));
    } catch (error) {
      // Somebody was quicker, or the conversation went on: then nothing waits any more.
      if (!(error instanceof AppError && error.code === 'APPROVAL_CLOSED')) throw error;
    }
  }

  private async give(run: Run, answers: Readonly<Record<string, GivenAnswer>>): Promise<Decided> {
    const result = await this.runs.answer({ runId: run.id, answers, continuation: continuationOf(run) });
    switch (result.outcome) {
      case 'answered': {
        const { continuedBy } = result;
        this.note(run, answers);
        if (continuedBy?.status === 'pending') announceRun(this.wakeups, continuedBy);
        return { run: result.run, ...(continuedBy && { continuedBy }) };
      }
      case 'unknown':
        throw noApproval(run.id, result.approvalId);
      case 'conflict':
        throw closed('It was decided otherwise before.');
      case 'closed':
        throw closed('The conversation went on without it.');
      default:
        return result satisfies never;
    }
  }

  /** Who decided what: for those who have to account for it. What was changed, and why not, is in the run's record. */
  private note(run: Run, answers: Readonly<Record<string, GivenAnswer>>): void {
    for (const { approvalId, toolName, toolCallId, answer } of run.approvals ?? []) {
      // One that came before stands; it was noted then.
      if (answer) continue;
      const { decision, by } = answers[approvalId] ?? {};
      const fact = { runId: run.id, threadId: run.threadId, approvalId, toolName, toolCallId, decision, by };
      if (decision) this.logger.log(fact, 'approval decided');
    }
  }

  /** Told now, while the person can mend it. The call itself checks again: only its process surely has the tool. */
  private async checkFit({ toolName }: Approval, input: unknown): Promise<void> {
    const tool = this.tools.get(toolName);
    const parsed = tool && (await parseInput(tool, input));
    if (parsed && 'misfit' in parsed) {
      throw new AppError('REQUEST_INVALID', `The arguments do not fit '${toolName}': ${parsed.misfit}`);
    }
  }
}

/** The run that goes on where this one stopped: for the same message, and writing the same answer. */
function continuationOf(run: Run): NewRun {
  const { threadId, agent, principal, message, metadata, messageId, id: resumeOf } = run;
  return {
    id: newId(),
    threadId,
    thread: 'existing',
    agent,
    principal,
    message,
    metadata,
    messageId,
    resumeOf,
    whenBusy: 'queue',
    whenAwaiting: 'deny',
  };
}

function approvalOf({ id, approvals = [] }: Run, approvalId: string): Approval {
  const approval = approvals.find((each) => each.approvalId === approvalId);
  if (!approval) throw noApproval(id, approvalId);
  return approval;
}

function noApproval(runId: string, approvalId: string): AppError {
  return new AppError('NOT_FOUND', `Run '${runId}' has no approval '${approvalId}'.`);
}

function closed(why: string): AppError {
  return new AppError('APPROVAL_CLOSED', `This cannot be decided any more. ${why}`);
}

import { Injectable } from '@nestjs/common';
import { AppError } from '../errors.js';
import {
  isCall,
  NOBODY_IN_TIME,
  type RecordedDecision,
  type GivenAnswer,
  type InputAnswer,
  type RequestedInput,
} from '../events/requested-input.js';
import { sharedRoles, type Principal } from '../principal.js';
import { SecurityLog } from '../security/security-log.service.js';
import { compute } from '../tools/compute/compute.js';
import type { JsonSchema, SchemaMismatch } from '../tools/compute/fit-schema.js';
import { parseInput } from '../tools/tool-call.js';
import { Switches } from '../switches/switches.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { ToolRegistry } from '../tools/tool.registry.js';
import { PresentRoles } from './present-roles.js';
import type { Run } from './run.js';
import { refuseAnswer } from './input-answers.js';
import { newId } from './run-ids.js';
import { RunService } from './run.service.js';
import { RunStore, type NewRun } from './run.store.js';
import { announceRun, Wakeups } from './wakeups.js';

/** A schema that takes longer for an answer of a usual size is one that was made to. */
const FIT_LIMIT_MS = 500;

/** State of a run after an answer. */
export interface DecisionResult {
  readonly run: Run;
  /** The run that goes on with what was decided; absent while answers are missing. */
  readonly continuedBy?: Run;
}

/** Takes the answers that runs wait for, days later and in another process if need be. */
@Injectable()
export class InputService {
  constructor(
    private readonly service: RunService,
    private readonly runs: RunStore,
    private readonly wakeups: Wakeups,
    private readonly tools: ToolRegistry,
    private readonly security: SecurityLog = new SecurityLog(),
    private readonly roles: PresentRoles = new PresentRoles(),
    private readonly switches: Switches = new Switches(),
    private readonly telemetry: Telemetry = new Telemetry(),
  ) {}

  /**
   * Gives answers, all or none. With the last missing one the run is continued by another, which goes on where this one stopped, with the
   * roles that the asker had then and the answerer has now. Repeating an answer is harmless, and gets what the first one got.
   *
   * @param answers by input id
   * @throws AppError NOT_FOUND for a run or an input; SWITCHED_OFF; REQUEST_INVALID when an answer does not fit what is asked; INPUT_CLOSED when
   *   it was answered otherwise, has expired, or the conversation went on without it
   */
  async answer(
    principal: Principal,
    runId: string,
    answers: Readonly<Record<string, GivenAnswer>>,
  ): Promise<DecisionResult> {
    const run = await this.service.get(principal, runId);
    // Answered now, it would go on only to fail; it can still be answered when it is on again.
    const refusal = this.switches.refuseRun(run);
    if (refusal) throw refusal;
    const at = Date.now();
    const given: Record<string, RecordedDecision> = {};
    for (const [inputId, answer] of Object.entries(answers)) {
      const asked = findInput(run, inputId);
      if (!asked.answer && (asked.expiresAt ?? Infinity) <= at) throw createClosedError('It has expired.');
      await this.check(asked, answer, principal);
      given[inputId] = { ...answer, by: principal.userId, at };
    }
    return this.give(run, given, sharedRoles(run.principal.roles, principal.roles), principal);
  }

  /**
   * Denies what has expired in this run: its agent learns that there was no decision in time. The run that goes on has those roles that its
   * principal is known to have still.
   */
  async expire(run: Run, now: number): Promise<void> {
    const late = (run.inputs ?? []).filter(({ answer, expiresAt = Infinity }) => !answer && expiresAt <= now);
    const answer: RecordedDecision = {
      decision: 'deny',
      reason: 'There was no decision in time.',
      by: NOBODY_IN_TIME,
      at: now,
    };
    try {
      const { roles } = await this.roles.narrow(run.principal, 'none');
      await this.give(run, Object.fromEntries(late.map(({ inputId }) => [inputId, answer])), roles);
    } catch (error) {
      // Somebody was quicker, or the conversation went on: then nothing waits any more.
      if (!(error instanceof AppError && error.code === 'INPUT_CLOSED')) throw error;
    }
  }

  /**
   * @param roles of the run that goes on
   * @param principal the person who decided; absent if there was no decision in time
   */
  private async give(
    run: Run,
    answers: Readonly<Record<string, RecordedDecision>>,
    roles: readonly string[],
    principal?: Principal,
  ): Promise<DecisionResult> {
    const goesOn = toContinuation(run, roles);
    const traced = this.telemetry.startRun(goesOn, run);
    const continuation = { ...goesOn, ...(traced && { traceparent: traced.traceparent }) };
    const result = await this.runs.decide({ runId: run.id, answers, continuation });
    switch (result.outcome) {
      case 'answered': {
        const { continuedBy } = result;
        if (continuedBy) traced?.confirm();
        this.note(run, answers, principal);
        if (continuedBy?.status === 'pending') announceRun(this.wakeups, continuedBy);
        return { run: result.run, ...(continuedBy && { continuedBy }) };
      }
      case 'unknown':
        throw noInput(run.id, result.inputId);
      case 'conflict':
        throw createClosedError('It was answered otherwise before.');
      case 'closed':
        throw createClosedError('The conversation went on without it.');
      default:
        return result satisfies never;
    }
  }

  /**
   * Records the decisions and their author, for those who have to account for them. What was changed, and why not, is in the run's
   * record.
   */
  private note(
    run: Run,
    answers: Readonly<Record<string, RecordedDecision>>,
    principal: Principal | undefined,
  ): void {
    for (const asked of run.inputs ?? []) {
      const { inputId } = asked;
      const decision = answers[inputId]?.decision;
      // One that came before stands; it was noted then.
      if (asked.answer || !decision) continue;
      this.security.record({
        type: 'decision',
        ...(principal && { principal }),
        reason: principal ? decision : 'expired',
        subject: isCall(asked) ? asked.toolName : asked.kind,
        runId: run.id,
        threadId: run.threadId,
        inputId,
      });
    }
  }

  /** Told now, while it can be mended. A call itself checks again: only its process surely has the tool. */
  private async check(asked: RequestedInput, answer: InputAnswer, principal: Principal): Promise<void> {
    const refusal = refuseAnswer(asked, answer);
    if (refusal) throw new AppError('REQUEST_INVALID', refusal);
    if (answer.decision === 'edit' && isCall(asked)) {
      const tool = this.tools.get(asked.toolName);
      const parsed = tool && (await parseInput(tool, answer.input));
      if (parsed && 'validationError' in parsed) {
        throw new AppError(
          'REQUEST_INVALID',
          `The arguments do not fit '${asked.toolName}': ${parsed.validationError}`,
          { details: { misfits: parsed.misfits } },
        );
      }
    }
    if (answer.decision !== 'answer' || !('schema' in asked) || !asked.schema) return;
    const misfits = await findMisfits(asked.schema, answer.value, principal);
    if (misfits.length === 0) return;
    const words = misfits.map(({ path, message }) => [...path, message].join(': ')).join('; ');
    throw new AppError('REQUEST_INVALID', `The answer does not fit what is asked for: ${words}`, {
      details: { misfits },
    });
  }
}

/** The run that goes on where this one stopped: for the same message, and writing the same answer. */
function toContinuation(run: Run, roles: readonly string[]): NewRun {
  const { threadId, agent, principal, message, metadata, messageId, id: resumeOf } = run;
  // What the run has changed is changed.
  const { stateChange: _, fromCheckpoint: __, ...given } = run.given ?? {};
  return {
    id: newId(),
    threadId,
    thread: 'existing',
    agent,
    principal: { ...principal, roles },
    message,
    metadata,
    ...(run.given && { given }),
    messageId,
    resumeOf,
    whenBusy: 'queue',
    whenAwaiting: 'deny',
  };
}

function findInput({ id, inputs = [] }: Run, inputId: string): RequestedInput {
  const asked = inputs.find((each) => each.inputId === inputId);
  if (!asked) throw noInput(id, inputId);
  return asked;
}

/** Checked in a thread and with a time limit: a schema may be a stranger's, and its patterns are programs. */
async function findMisfits(
  schema: JsonSchema,
  value: unknown,
  { tenant, userId }: Principal,
): Promise<readonly SchemaMismatch[]> {
  const caller = { principal: { tenant, userId }, signal: AbortSignal.timeout(FIT_LIMIT_MS * 10) };
  try {
    return await compute('fit-schema', { schema, value }, FIT_LIMIT_MS, caller);
  } catch {
    return [{ path: [], message: 'It could not be checked against the schema.' }];
  }
}

function noInput(runId: string, inputId: string): AppError {
  return new AppError('NOT_FOUND', `Run '${runId}' has no input '${inputId}'.`);
}

function createClosedError(why: string): AppError {
  return new AppError('INPUT_CLOSED', `This cannot be answered any more. ${why}`);
}

import { Injectable } from '@nestjs/common';
import { AppError } from '../errors.js';
import type { GivenAnswer, RequestedInput } from '../events/requested-input.js';
import type { Principal } from '../principal.js';
import { InputService, type DecisionResult } from '../runs/input.service.js';
import type { Run } from '../runs/run.js';
import { RunStore } from '../runs/run.store.js';
import { ThreadService } from '../runs/thread.service.js';

/**
 * Answers to the inputs that a run waits for: by input id, or by the id of the tool call that the input is about. Where a protocol
 * has different words for different kinds, what is asked says which.
 */
export type Decisions = Readonly<Record<string, GivenAnswer | ((asked: RequestedInput) => GivenAnswer)>>;

/** A run that asked further back than this in its thread has been passed by long ago. */
const NEWEST = 20;

/** Answers as protocols know them that speak of conversations: who answers names the thread, and not the run that asked. */
@Injectable()
export class ThreadInputs {
  constructor(
    private readonly inputs: InputService,
    private readonly threads: ThreadService,
    private readonly runs: RunStore,
  ) {}

  /**
   * Gives answers to the run of the thread that asked: all or none.
   *
   * @throws AppError NOT_FOUND for a thread or an approval, and what {@link InputService.answer} refuses
   */
  async answer(principal: Principal, threadId: string, answers: Decisions): Promise<DecisionResult> {
    const run = await this.asker(principal, threadId, Object.keys(answers));
    return this.inputs.answer(principal, run.id, answersTo(run, answers));
  }

  /**
   * The same for protocols in which each answer is answered by a run: nothing may be left open.
   *
   * @returns the run that goes on
   * @throws AppError as {@link ThreadInputs.answer}; REQUEST_INVALID when an answer is missing
   */
  async answerAll(principal: Principal, threadId: string, decisions: Decisions): Promise<Run> {
    return this.finish(principal, await this.asker(principal, threadId, Object.keys(decisions)), decisions);
  }

  /** As {@link ThreadInputs.answerAll}, where the run is known. */
  async finish(principal: Principal, run: Run, decisions: Decisions): Promise<Run> {
    const given = answersTo(run, decisions);
    const missing = listOpen(run).filter(({ inputId }) => !Object.hasOwn(given, inputId));
    if (missing.length > 0) {
      const ids = missing.map(({ inputId }) => `'${inputId}'`).join(', ');
      throw new AppError('REQUEST_INVALID', `Send an answer to every open input. Missing: ${ids}.`);
    }
    const { continuedBy } = await this.inputs.answer(principal, run.id, given);
    if (!continuedBy) throw new AppError('INPUT_CLOSED', `Run '${run.id}' does not wait for any input.`);
    return continuedBy;
  }

  /** The run of the thread that stopped to wait last. @throws AppError NOT_FOUND when none did */
  async lastAsker(principal: Principal, threadId: string): Promise<Run> {
    const asker = (await this.newest(principal, threadId)).find(({ inputs = [] }) => inputs.length > 0);
    if (asker) return asker;
    throw new AppError('NOT_FOUND', `Thread '${threadId}' does not wait for any input.`);
  }

  private async asker(principal: Principal, threadId: string, names: readonly string[]): Promise<Run> {
    const runs = await this.newest(principal, threadId);
    const asker = runs.find(({ inputs = [] }) =>
      inputs.some((asked) => names.some((name) => isNamed(asked, name))),
    );
    if (asker) return asker;
    const ids = names.map((name) => `'${name}'`).join(', ');
    throw new AppError('NOT_FOUND', `Thread '${threadId}' does not wait for the input ${ids}.`);
  }

  /** @throws AppError NOT_FOUND */
  private async newest(principal: Principal, threadId: string): Promise<readonly Run[]> {
    await this.threads.get(principal, threadId);
    return (await this.runs.listRuns(principal, threadId, { limit: NEWEST })).items;
  }
}

/** The answers by input id, in the run's own words. One that is about nothing in the run is left for the run to refuse. */
function answersTo({ inputs = [] }: Run, answers: Decisions): Readonly<Record<string, GivenAnswer>> {
  return Object.fromEntries(
    Object.entries(answers).map(([name, answer]) => {
      const asked = inputs.find((each) => isNamed(each, name));
      if (!asked) return [name, { decision: 'deny' }];
      return [asked.inputId, typeof answer === 'function' ? answer(asked) : answer];
    }),
  );
}

function isNamed(asked: RequestedInput, name: string): boolean {
  return asked.inputId === name || (asked.kind === 'client-tool' && asked.toolCallId === name);
}

/** Lists the inputs that still wait for an answer. */
export function listOpen({ inputs = [] }: Pick<Run, 'inputs'>): readonly RequestedInput[] {
  return inputs.filter(({ answer }) => !answer);
}

/** The ids of what was answered already. */
export function listDecided({ inputs = [] }: Pick<Run, 'inputs'>): ReadonlySet<string> {
  return new Set(inputs.flatMap(({ inputId, answer }) => (answer ? [inputId] : [])));
}

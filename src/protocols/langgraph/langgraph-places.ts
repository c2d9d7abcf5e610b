import { Injectable } from '@nestjs/common';
import { AppError } from '../../errors.js';
import type { CheckpointReached } from '../../events/run-event.js';
import type { Principal } from '../../principal.js';
import { EventLog } from '../../runs/event-log.js';
import { foldLog } from '../../runs/read-log.js';
import { findParentId } from '../../runs/run-place.js';
import { hasEnded, type Run } from '../../runs/run.js';
import { RunService, type StartRunRequest } from '../../runs/run.service.js';
import { RunStore } from '../../runs/run.store.js';
import { COPY_LIMITS } from '../../runs/thread-copy.js';
import { findNamed } from './langgraph-checkpoints.js';
import type { PlaceInThread } from './langgraph-input.js';

/** A place, with its thread where nothing else in it says which that is. */
type ResolvedPlace = PlaceInThread & Pick<StartRunRequest, 'threadId'>;

/** Finds the states of a thread that requests name. */
@Injectable()
export class LangGraphPlaces {
  constructor(
    private readonly runs: RunService,
    private readonly log: EventLog,
    private readonly store: RunStore,
  ) {}

  /**
   * Returns the place without what says nothing: a run's last state is where the run ended. The state before its question is where the run began: that it was about
   * to hear the question is nothing that another message would go on from.
   *
   * @param repeats so many of a run's first states are where another answer to its question begins, if it has one. Default: 0
   *
   * @throws AppError NOT_FOUND for a state that the run has not kept
   */
  async resolve(
    principal: Principal,
    place: PlaceInThread,
    { repeats = 0, threadId }: { readonly repeats?: 0 | 1 | 2; readonly threadId?: string | undefined } = {},
  ): Promise<ResolvedPlace> {
    const own = await this.findOwn(principal, place, threadId);
    return this.resolveOwn(principal, own, { repeats, threadId });
  }

  /** Names the runs of a copied thread by their own ids. Its states have those of the runs that they are copies of. */
  private async findOwn(
    principal: Principal,
    place: PlaceInThread,
    threadId: string | undefined,
  ): Promise<PlaceInThread> {
    const named = place.parentRunId ?? place.replaces;
    if (threadId === undefined || typeof named !== 'string') return place;
    const copy = findNamed(await this.store.listNodes(principal, threadId, COPY_LIMITS.maxRuns), named);
    if (!copy) return place;
    return { ...place, ...(place.replaces === undefined ? { parentRunId: copy.id } : { replaces: copy.id }) };
  }

  private async resolveOwn(
    principal: Principal,
    place: PlaceInThread,
    { repeats, threadId }: { readonly repeats: number; readonly threadId: string | undefined },
  ): Promise<ResolvedPlace> {
    const { parentRunId, fromCheckpoint } = place;
    if (typeof parentRunId !== 'string' || fromCheckpoint === undefined) return place;
    const run = await this.runs.get(principal, parentRunId);
    if (threadId !== undefined && run.threadId !== threadId)
      throw new AppError('NOT_FOUND', `There is no run '${run.id}' in thread '${threadId}'.`);
    const states = await this.listStates(run.id);
    const index = states.findIndex(({ checkpointId }) => checkpointId === fromCheckpoint);
    if (index === -1) throw new AppError('NOT_FOUND', `Run '${run.id}' has no such state.`);
    if (states[0]?.source === 'input' && index < repeats) return { replaces: run.id };
    if (states[0]?.source === 'input' && index === 0) return this.findBeginning(run);
    return index === states.length - 1 && hasEnded(run) ? { parentRunId } : place;
  }

  /** Returns the place at which a run has begun. */
  private async findBeginning(run: Run): Promise<ResolvedPlace> {
    const { fromCheckpoint } = run.given ?? {};
    return {
      threadId: run.threadId,
      parentRunId: await findParentId(run, this.store),
      ...(fromCheckpoint !== undefined && { fromCheckpoint }),
    };
  }

  private async listStates(runId: string): Promise<readonly CheckpointReached[]> {
    const states = await foldLog(this.log, runId, {
      begin: () => new Map<string, CheckpointReached>(),
      apply: (found, { event }) =>
        event.type === 'checkpoint' && event.runId === undefined
          ? found.set(event.checkpointId, found.get(event.checkpointId) ?? event)
          : found,
    });
    return [...(states?.values() ?? [])];
  }
}

import { Injectable } from '@nestjs/common';
import { AppError } from '../../errors.js';
import type { CheckpointReached } from '../../events/run-event.js';
import type { Principal } from '../../principal.js';
import { EventLog } from '../../runs/event-log.js';
import { foldLog } from '../../runs/read-log.js';
import { hasEnded } from '../../runs/run.js';
import { RunService } from '../../runs/run.service.js';
import { RunStore } from '../../runs/run.store.js';
import { COPY_LIMITS } from '../../runs/thread-copy.js';
import { findNamed } from './langgraph-checkpoints.js';
import type { PlaceInThread } from './langgraph-input.js';

/** Finds the states of a thread that requests name. */
@Injectable()
export class LangGraphPlaces {
  constructor(
    private readonly runs: RunService,
    private readonly log: EventLog,
    private readonly store: RunStore,
  ) {}

  /**
   * Returns the place without what says nothing: a run's last state is where the run ended. With `repeats`, a state in which the run has done nothing yet is where
   * another answer to its question begins.
   *
   * @throws AppError NOT_FOUND for a state that the run has not kept
   */
  async resolve(
    principal: Principal,
    place: PlaceInThread,
    {
      repeats = false,
      threadId,
    }: { readonly repeats?: boolean; readonly threadId?: string | undefined } = {},
  ): Promise<PlaceInThread> {
    return this.resolveOwn(principal, await this.findOwn(principal, place, threadId), repeats);
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
    repeats: boolean,
  ): Promise<PlaceInThread> {
    const { parentRunId, fromCheckpoint } = place;
    if (typeof parentRunId !== 'string' || fromCheckpoint === undefined) return place;
    const run = await this.runs.get(principal, parentRunId);
    const states = await this.listStates(run.id);
    const index = states.findIndex(({ checkpointId }) => checkpointId === fromCheckpoint);
    if (index === -1) throw new AppError('NOT_FOUND', `Run '${run.id}' has no such state.`);
    if (repeats && states[0]?.source === 'input' && index < 2) return { replaces: run.id };
    return index === states.length - 1 && hasEnded(run) ? { parentRunId } : place;
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

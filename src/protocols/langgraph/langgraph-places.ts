import { Injectable } from '@nestjs/common';
import { AppError } from '../../errors.js';
import type { CheckpointReached } from '../../events/run-event.js';
import type { Principal } from '../../principal.js';
import { EventLog } from '../../runs/event-log.js';
import { foldLog } from '../../runs/read-log.js';
import { hasEnded } from '../../runs/run.js';
import { RunService } from '../../runs/run.service.js';
import type { PlaceInThread } from './langgraph-input.js';

/** Finds the states of a thread that requests name. */
@Injectable()
export class LangGraphPlaces {
  constructor(
    private readonly runs: RunService,
    private readonly log: EventLog,
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
    { repeats = false }: { readonly repeats?: boolean } = {},
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

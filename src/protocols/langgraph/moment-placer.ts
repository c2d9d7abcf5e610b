import { hasEnded, type Run } from '../../runs/run.js';
import { toQuestionId, type MomentName } from './langgraph-checkpoints.js';
import { isUpdate, type MomentPlace } from './langgraph-resources.js';
import type { ReachedState } from './reached-states.js';
import { StateOwners } from './state-owners.js';

/** Names the states of a thread's runs, each with the one before it. The runs come in the order of their beginning. */
export class MomentPlacer {
  private readonly owners: StateOwners;

  constructor(
    runs: readonly Run[],
    private readonly parents: ReadonlyMap<string, Run>,
  ) {
    this.owners = new StateOwners(runs, parents);
  }

  /** @param reached the states that the run has kept. None: it has one with its question, and one with its answer */
  list(run: Run, reached: readonly ReachedState[]): MomentPlace[] {
    for (const { event } of reached) this.owners.learn(run, event.checkpointId);
    return reached.length > 0
      ? reached.map((state, index) => this.place(run, state, reached, index))
      : this.listTwo(run);
  }

  private place(run: Run, state: ReachedState, reached: readonly ReachedState[], index: number): MomentPlace {
    const isLastOfRun = index === reached.length - 1;
    const isQuestion = index === 1 && reached[0]?.event.source === 'input';
    return {
      run,
      answered: true,
      checkpointId: state.event.checkpointId,
      reached: state,
      before: this.findBefore(run, state),
      isLastOfRun,
      ...(isLastOfRun ? { alias: run.id } : isQuestion && { alias: toQuestionId(run.id) }),
    };
  }

  private findBefore(run: Run, { event }: ReachedState): MomentName | undefined {
    const { parentId, parentRunId } = event;
    if (parentId === undefined) return undefined;
    return this.owners.name(run, { id: parentId, runId: parentRunId });
  }

  private listTwo(run: Run): MomentPlace[] {
    const parent = this.parents.get(run.id);
    const before = parent && { run: parent, answered: true };
    const question = { run, answered: false, before, isLastOfRun: !hasEnded(run) };
    if (!hasEnded(run)) return [question];
    // A run that continues with an answer, or changes the state, has no question of its own.
    if (isUpdate(run) || (run.resumeOf !== undefined && parent))
      return [{ run, answered: true, before, isLastOfRun: true }];
    return [question, { run, answered: true, before: question, isLastOfRun: true }];
  }
}

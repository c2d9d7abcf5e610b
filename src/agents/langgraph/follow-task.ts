import type { AgentContext } from '../agent.js';
import type { GraphFact } from './graph-fact.js';
import type { GraphInterrupts, TaskInterrupt } from './graph-interrupts.js';
import type { RunCheckpoints } from './run-checkpoints.js';

/** LangGraph's `tasks` stream: a task begins, and then has a result. */
export interface TaskPayload {
  readonly id: string;
  readonly name: string;
  readonly result?: unknown;
  readonly interrupts?: readonly TaskInterrupt[];
}

interface TaskFollower {
  readonly emitFact: (fact: GraphFact) => void | Promise<void>;
  readonly finish: (stepId: string, result: unknown) => void | Promise<void>;
  readonly context: Pick<AgentContext, 'completedSteps'>;
  readonly checkpoints: Pick<RunCheckpoints, 'holds'>;
  readonly interrupts: Pick<GraphInterrupts, 'ask'>;
}

/** Tells the run that a task begins, is over, or asks something. */
export async function followTask(
  namespace: readonly string[],
  task: TaskPayload,
  { emitFact, finish, context, checkpoints, interrupts: asked }: TaskFollower,
): Promise<void> {
  if (!('result' in task)) {
    // Announced beside its unfinished siblings, but not run again: its result is in the checkpoint.
    if (context.completedSteps.has(task.id)) return;
    await emitFact({
      kind: 'step-started',
      namespace: [...namespace, `${task.name}:${task.id}`].join('|'),
    });
    return;
  }
  const { interrupts = [] } = task;
  // The step stays open: it is not over, and the run that has the answer does it again.
  if (interrupts.length > 0) return asked.ask(interrupts, task.id);
  // Where a graph keeps no checkpoints, this is the only sign that a step is over.
  if (!checkpoints.holds(task.id)) await finish(task.id, task.result);
}

import { z } from 'zod';
import { isInsideCall, toSubagentId } from '../../events/subagent.js';
import type { Run } from '../../runs/run.js';
import type { StepOwners } from '../transcript/step-owners.js';
import { listOpen } from '../thread-inputs.js';
import { isBreakpoint, toInterrupt } from './langgraph-interrupts.js';
import type { Moment } from './langgraph-resources.js';
import type { ReachedState } from './reached-states.js';

export const interruptSchema = z.object({ id: z.string(), value: z.unknown() });

/** A task of a state: what waits for a person, or the work of an agent inside the run's own. */
export const taskSchema = z.object({
  id: z.string(),
  name: z.string(),
  path: z.array(z.union([z.string(), z.int()])).optional(),
  error: z.string().nullable(),
  interrupts: z.array(interruptSchema),
  checkpoint: z.object({ thread_id: z.string(), checkpoint_ns: z.string() }).nullable(),
  state: z.null(),
  result: z
    .object({ messages: z.array(z.object({ type: z.literal('tool'), tool_call_id: z.string() })) })
    .nullish(),
});
export type LangGraphTask = z.output<typeof taskSchema>;

/** Lists what a run still waits for, a task for each graph that asks; and the run's failure. */
export function listWaiting(run: Run, owners: Pick<StepOwners, 'find'>): LangGraphTask[] {
  const { id, agent, threadId, error } = run;
  const asking = Map.groupBy(run.status === 'awaiting-input' ? listOpen(run) : [], ({ stepId }) => {
    const subagent = owners.find(stepId);
    return subagent ? toSubagentId(subagent) : '';
  });
  const tasks = [...asking].map(([namespace, requests]): LangGraphTask => {
    const interrupts = requests.map(toInterrupt);
    const failure = { error: null, state: null };
    if (namespace === '') return { id, name: agent, interrupts, checkpoint: null, ...failure };
    const [step = ''] = namespace.split('|');
    const checkpoint = { thread_id: threadId, checkpoint_ns: namespace };
    return { ...toStep(step), interrupts, checkpoint, ...failure };
  });
  if (!error) return tasks;
  return [...tasks, { id, name: agent, error: error.message, interrupts: [], checkpoint: null, state: null }];
}

/** Lists the steps that come after a state, with what they ask, where they still may. */
export function listPlanned({
  run,
  owners,
  isLast,
  isLastOfRun,
  reached,
}: Pick<Moment, 'run' | 'owners' | 'isLast' | 'isLastOfRun'> & {
  readonly reached: ReachedState;
}): LangGraphTask[] {
  const asked =
    isLast && run.status === 'awaiting-input' ? listOpen(run).filter((open) => !isBreakpoint(open)) : [];
  const asking = Map.groupBy(asked, ({ stepId }) => {
    const [place] = owners.find(stepId)?.path ?? [];
    return place === undefined ? stepId : toStep(place).id;
  });
  const workers = new Map(owners.list(run.id).map((worker) => [toStep(worker.path[0] ?? '').id, worker]));
  return reached.next.map(({ stepId, name, path, isGraph }): LangGraphTask => {
    const toolCallId = workers.get(stepId)?.toolCallId;
    const hasGraph = isGraph ?? workers.has(stepId);
    return {
      id: stepId,
      name,
      path: path ? [...path] : ['__pregel_pull', name],
      error: isLastOfRun ? (run.error?.message ?? null) : null,
      interrupts: (asking.get(stepId) ?? []).map(toInterrupt),
      checkpoint: hasGraph ? { thread_id: run.threadId, checkpoint_ns: `${name}:${stepId}` } : null,
      state: null,
      result: toolCallId === undefined ? null : { messages: [{ type: 'tool', tool_call_id: toolCallId }] },
    };
  });
}

/**
 * Lists the steps of a run's own agent in which others were at work: clients find these agents by them, when they come back. A call has the id of the
 * call in the result that it is going to have.
 */
export function listWorkers({ id, threadId }: Run, owners: Pick<StepOwners, 'list'>): LangGraphTask[] {
  const workers = owners.list(id).filter(({ path }) => path.length === 1);
  return workers.map((worker, index) => {
    const [step = ''] = worker.path;
    const { toolCallId } = worker;
    return {
      ...toStep(step),
      path: isInsideCall({ subagent: worker })
        ? ['__pregel_push', index]
        : ['__pregel_pull', toStep(step).name],
      error: null,
      interrupts: [],
      checkpoint: { thread_id: threadId, checkpoint_ns: step },
      state: null,
      ...(toolCallId !== undefined && {
        result: { messages: [{ type: 'tool', tool_call_id: toolCallId }] },
      }),
    };
  });
}

function toStep(segment: string): { readonly id: string; readonly name: string } {
  const colon = segment.lastIndexOf(':');
  return colon < 0
    ? { id: segment, name: segment }
    : { id: segment.slice(colon + 1), name: segment.slice(0, colon) };
}

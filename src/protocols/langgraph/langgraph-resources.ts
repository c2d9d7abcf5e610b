import { z } from 'zod';
import type { RunState } from '../../events/run-state.js';
import type { Run, Thread } from '../../runs/run.js';
import type { StepOwners } from '../transcript/step-owners.js';
import { listOpen } from '../thread-inputs.js';
import type { LangGraphMessage } from './langgraph-events.js';
import { getStateRunId, toCheckpointId, type MomentName } from './langgraph-checkpoints.js';
import { getAssistantId } from './langgraph-input.js';
import { interruptSchema, listPlanned, listWaiting, listWorkers, taskSchema } from './langgraph-tasks.js';
import type { ReachedState } from './reached-states.js';
import { listNext } from './langgraph-interrupts.js';
import { withReviewedCalls } from './reviewed-calls.js';
import { END_STATUS } from './run-stream-chunks.js';

/** Our resources in the form of LangGraph's API. Clients read some of the fields; types want all of them. */

const messagesSchema = z.array(z.looseObject({ type: z.string(), id: z.string() }));
const valuesSchema = z.looseObject({ messages: messagesSchema });

export const threadSchema = z
  .object({
    thread_id: z.string(),
    created_at: z.string(),
    updated_at: z.string(),
    state_updated_at: z.string(),
    metadata: z.record(z.string(), z.unknown()),
    status: z.enum(['idle', 'busy', 'interrupted', 'error']),
    values: valuesSchema.nullable(),
    interrupts: z.record(z.string(), z.array(interruptSchema)),
    config: z.object({}),
    ttl: z
      .object({ strategy: z.literal('delete'), ttl_minutes: z.number(), expires_at: z.string() })
      .optional()
      .meta({ description: 'Absent: the thread has no lifetime of its own.' }),
  })
  .meta({ id: 'LangGraphThread' });
export type LangGraphThread = z.output<typeof threadSchema>;

const checkpointSchema = z.object({
  thread_id: z.string(),
  checkpoint_ns: z.string(),
  checkpoint_id: z.string(),
  checkpoint_map: z.null(),
});

export const stateSchema = z
  .object({
    values: valuesSchema,
    next: z.array(z.string()),
    tasks: z.array(taskSchema),
    metadata: z.record(z.string(), z.unknown()),
    created_at: z.string(),
    checkpoint: checkpointSchema,
    parent_checkpoint: checkpointSchema.nullable(),
  })
  .meta({ id: 'LangGraphState' });
export type LangGraphState = z.output<typeof stateSchema>;

const RUN_STATUSES = ['pending', 'running', 'success', 'error', 'interrupted'] as const;

export const runSchema = z
  .object({
    run_id: z.string(),
    thread_id: z.string(),
    assistant_id: z.string(),
    created_at: z.string(),
    updated_at: z.string(),
    status: z.enum(RUN_STATUSES),
    metadata: z.record(z.string(), z.unknown()),
    multitask_strategy: z.null(),
  })
  .meta({ id: 'LangGraphRun' });
export type LangGraphRun = z.output<typeof runSchema>;

/** Returns the metadata of a thread, with the assistant of its last run, which LangGraph's server notes there. */
export function toThreadMetadata(
  { title, metadata }: Pick<Thread, 'title' | 'metadata'>,
  last: Run | undefined,
): Record<string, unknown> {
  return {
    ...(title && { title }),
    ...metadata,
    ...(last && { graph_id: last.agent, assistant_id: getAssistantId(last) }),
  };
}

/** @param state undefined: it was not asked for */
export function toThread(
  thread: Thread,
  state: LangGraphState | undefined,
  current: Run | undefined,
): LangGraphThread {
  const { id, createdAt, updatedAt, ttlMs, expiresAt } = thread;
  const { values = null, tasks = [], created_at = toIso(updatedAt) } = state ?? {};
  return {
    thread_id: id,
    created_at: toIso(createdAt),
    updated_at: toIso(updatedAt),
    state_updated_at: created_at,
    metadata: toThreadMetadata(thread, current),
    status: toThreadStatus(current),
    values,
    interrupts: Object.fromEntries(
      tasks.flatMap((task) => (task.interrupts.length > 0 ? [[task.id, task.interrupts]] : [])),
    ),
    config: {},
    ...(ttlMs !== undefined &&
      expiresAt !== undefined && {
        ttl: { strategy: 'delete', ttl_minutes: ttlMs / 60_000, expires_at: toIso(expiresAt) },
      }),
  };
}

/** @param current the run that goes on, or the last one */
export function toThreadStatus(current: Run | undefined): LangGraphThread['status'] {
  return current ? THREAD_STATUS[current.status] : 'idle';
}

export function toRun(run: Run): LangGraphRun {
  const { id, threadId, createdAt, startedAt, endedAt, status, metadata } = run;
  return {
    run_id: id,
    thread_id: threadId,
    assistant_id: getAssistantId(run),
    created_at: toIso(createdAt),
    updated_at: toIso(endedAt ?? startedAt ?? createdAt),
    status: RUN_STATUS[status],
    metadata: { ...metadata },
    multitask_strategy: null,
  };
}

/** The path of a run below the address of its server, from which clients read its id. */
export function toRunPath({ id, threadId }: Pick<Run, 'id' | 'threadId'>): string {
  return `/threads/${threadId}/runs/${id}`;
}

/** A moment of a thread: with a run's question, or with its answer as well. */
export interface MomentPlace extends MomentName {
  readonly before: MomentName | undefined;
  /** The state that the run has kept; absent for one that has kept none on its way. */
  readonly reached?: ReachedState;
  /** Another id for it. */
  readonly alias?: string;
  readonly isLastOfRun: boolean;
}

/** A moment, with the messages up to it. */
export interface Moment extends MomentPlace {
  readonly messages: readonly LangGraphMessage[];
  readonly state: RunState | undefined;
  /** Whose the steps are, up to the end of its run. */
  readonly owners: StepOwners;
  /** Nothing came later in the thread. */
  readonly isLast: boolean;
}

export function toState(moment: Moment): LangGraphState {
  const { run, answered, messages, state, owners, before, isLast, reached } = moment;
  if (reached) return toReachedState({ ...moment, reached });
  // Once the conversation has gone on, what was asked can no longer be answered.
  const waiting = listWaiting(isLast ? run : { ...run, inputs: [] }, owners);
  const isWaiting = waiting.some(({ interrupts }) => interrupts.length > 0);
  const stops = isWaiting ? [...new Set(listOpen(run).flatMap(listNext))] : [];
  const [stop] = stops;
  return {
    values: { ...state, messages: isWaiting ? withReviewedCalls(messages, listOpen(run)) : [...messages] },
    next: answered && !isWaiting ? [] : stop === undefined ? [run.agent] : stops,
    tasks: answered
      ? waiting.map((task) => (stop === undefined ? task : { ...task, name: stop }))
      : listWorkers(run, owners),
    metadata: toMomentMetadata(moment),
    // A client passes over events from before this moment: they are in these values.
    created_at: toIso((answered ? run : before?.run)?.endedAt ?? 0),
    checkpoint: toCheckpoint({ run, answered }),
    parent_checkpoint: before ? toCheckpoint(before) : null,
  };
}

function toReachedState(moment: Moment & { readonly reached: ReachedState }): LangGraphState {
  const { run, messages, state, before, reached } = moment;
  const tasks = listPlanned(moment);
  const asks = tasks.some(({ interrupts }) => interrupts.length > 0);
  return {
    values: { ...state, messages: asks ? withReviewedCalls(messages, listOpen(run)) : [...messages] },
    next: tasks.map(({ name }) => name),
    tasks,
    metadata: toMomentMetadata(moment),
    created_at: toIso(reached.at),
    checkpoint: toCheckpoint(moment),
    parent_checkpoint: before ? toCheckpoint(before) : null,
  };
}

/** The messages of an agent inside the run's own. */
export interface InnerMoment {
  readonly run: Run;
  readonly namespace: string;
  readonly messages: readonly LangGraphMessage[];
}

export function toInnerState({ run, namespace, messages }: InnerMoment): LangGraphState {
  return {
    values: { messages: [...messages] },
    next: [],
    tasks: [],
    metadata: { run_id: getStateRunId(run), source: 'loop' },
    created_at: toIso(run.endedAt ?? 0),
    checkpoint: { ...toCheckpoint({ run, answered: true }), checkpoint_ns: namespace },
    parent_checkpoint: null,
  };
}

/** Returns the metadata of a moment, under LangGraph's names, with those of its run. */
export function toMomentMetadata({ run, answered, reached }: MomentPlace): Record<string, unknown> {
  if (reached) {
    const { source, step } = reached.event;
    return { ...run.metadata, run_id: getStateRunId(run), thread_id: run.threadId, source, step };
  }
  const source = isUpdate(run) ? 'update' : answered ? 'loop' : 'input';
  return { ...run.metadata, run_id: getStateRunId(run), thread_id: run.threadId, source };
}

/** True for a run that has only changed the state. */
export function isUpdate({ given }: Pick<Run, 'given'>): boolean {
  return given?.stateChange !== undefined && !given.stateChange.continues;
}

export function toCheckpoint(moment: MomentName): LangGraphState['checkpoint'] {
  const { threadId } = moment.run;
  return {
    thread_id: threadId,
    checkpoint_ns: '',
    checkpoint_id: toCheckpointId(moment),
    checkpoint_map: null,
  };
}

const RUN_STATUS = {
  pending: 'pending',
  running: 'running',
  ...END_STATUS,
} as const;

const THREAD_STATUS = {
  pending: 'busy',
  running: 'busy',
  completed: 'idle',
  failed: 'error',
  cancelled: 'idle',
  'awaiting-input': 'interrupted',
} as const;

/** Returns a time as clients of LangGraph read it. */
export function toIso(at: number): string {
  return new Date(at).toISOString();
}

import { z } from 'zod';
import type { Agent } from '../../agents/agent.js';
import type { RunState } from '../../events/run-state.js';
import type { Run, Thread } from '../../runs/run.js';
import { listOpen } from '../thread-inputs.js';
import type { LangGraphMessage } from './langgraph-events.js';
import { toInterrupt, type LangGraphInterrupt } from './langgraph-interrupts.js';
import { END_STATUS } from './run-stream-chunks.js';

/** Our resources in the form of LangGraph's API. Clients read some of the fields; types want all of them. */

const messagesSchema = z.array(z.looseObject({ type: z.string(), id: z.string() }));
const valuesSchema = z.looseObject({ messages: messagesSchema });

const interruptSchema = z.object({ id: z.string(), value: z.unknown() });

export const assistantSchema = z
  .object({
    assistant_id: z.string(),
    graph_id: z.string(),
    name: z.string(),
    description: z.string(),
    config: z.object({}),
    context: z.object({}),
    metadata: z.object({}),
    version: z.int(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'LangGraphAssistant' });
export type LangGraphAssistant = z.output<typeof assistantSchema>;

export const threadSchema = z
  .object({
    thread_id: z.string(),
    created_at: z.string(),
    updated_at: z.string(),
    state_updated_at: z.string(),
    metadata: z.record(z.string(), z.unknown()),
    status: z.enum(['idle', 'busy', 'interrupted', 'error']),
    values: valuesSchema,
    interrupts: z.record(z.string(), z.array(interruptSchema)),
    config: z.object({}),
  })
  .meta({ id: 'LangGraphThread' });
export type LangGraphThread = z.output<typeof threadSchema>;

const checkpointSchema = z.object({
  thread_id: z.string(),
  checkpoint_ns: z.literal(''),
  checkpoint_id: z.string(),
  checkpoint_map: z.null(),
});

export const stateSchema = z
  .object({
    values: valuesSchema,
    next: z.array(z.string()),
    tasks: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        error: z.string().nullable(),
        interrupts: z.array(interruptSchema),
        checkpoint: z.null(),
        state: z.null(),
      }),
    ),
    metadata: z.null(),
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

/** Agents are made with the server. */
export function toAssistant({ name, description }: Agent): LangGraphAssistant {
  const made = { created_at: toIso(0), updated_at: toIso(0), version: 1 };
  return {
    assistant_id: name,
    graph_id: name,
    name,
    description,
    ...made,
    config: {},
    context: {},
    metadata: {},
  };
}

export function toThread(
  { id, createdAt, updatedAt, title }: Thread,
  { values, tasks, created_at }: LangGraphState,
  current: Run | undefined,
): LangGraphThread {
  return {
    thread_id: id,
    created_at: toIso(createdAt),
    updated_at: toIso(updatedAt),
    state_updated_at: created_at,
    metadata: { title },
    status: current ? THREAD_STATUS[current.status] : 'idle',
    values,
    interrupts: Object.fromEntries(
      tasks.flatMap((task) => (task.interrupts.length > 0 ? [[task.id, task.interrupts]] : [])),
    ),
    config: {},
  };
}

/** A thread without messages. */
export function createEmptyThread(
  threadId: string,
  now: number,
  metadata: Readonly<Record<string, unknown>>,
): LangGraphThread {
  const times = { created_at: toIso(now), updated_at: toIso(now), state_updated_at: toIso(now) };
  return {
    thread_id: threadId,
    ...times,
    metadata,
    status: 'idle',
    values: { messages: [] },
    interrupts: {},
    config: {},
  };
}

export function toRun({
  id,
  threadId,
  agent,
  createdAt,
  startedAt,
  endedAt,
  status,
  metadata,
}: Run): LangGraphRun {
  return {
    run_id: id,
    thread_id: threadId,
    assistant_id: agent,
    created_at: toIso(createdAt),
    updated_at: toIso(endedAt ?? startedAt ?? createdAt),
    status: RUN_STATUS[status],
    metadata: { ...metadata },
    multitask_strategy: null,
  };
}

/** A moment of a thread: with a run's question, or with its answer as well. */
export interface Moment {
  readonly run: Run;
  readonly answered: boolean;
  readonly messages: readonly LangGraphMessage[];
  readonly state: RunState | undefined;
  readonly before: Pick<Moment, 'run' | 'answered'> | undefined;
  /** Nothing came later in the thread. */
  readonly isLast: boolean;
}

export function toState({ run, answered, messages, state, before, isLast }: Moment): LangGraphState {
  const { id, agent, error = null } = run;
  const interrupts = isLast ? listInterrupts(run) : [];
  const task = { id, name: agent, error: error?.message ?? null, interrupts, checkpoint: null, state: null };
  return {
    values: { ...state, messages: [...messages] },
    next: answered && interrupts.length === 0 ? [] : [agent],
    tasks: answered && (error || interrupts.length > 0) ? [task] : [],
    metadata: null,
    // A client passes over events from before this moment: they are in these values.
    created_at: toIso((answered ? run : before?.run)?.endedAt ?? 0),
    checkpoint: toCheckpoint({ run, answered }),
    parent_checkpoint: before ? toCheckpoint(before) : null,
  };
}

/** Lists the inputs that still wait for a person. Once the conversation has gone on, they can no longer be answered. */
function listInterrupts(run: Run): LangGraphInterrupt[] {
  return run.status === 'awaiting-input' ? listOpen(run).map(toInterrupt) : [];
}

/** Returns the id of the moment among those of its thread. */
export function toCheckpointId({ run, answered }: Pick<Moment, 'run' | 'answered'>): string {
  return answered ? run.id : `${run.id}-question`;
}

function toCheckpoint(moment: Pick<Moment, 'run' | 'answered'>): LangGraphState['checkpoint'] {
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

function toIso(at: number): string {
  return new Date(at).toISOString();
}

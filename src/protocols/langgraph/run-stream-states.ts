import type { RecordedEvent } from '../../events/recorded-event.js';
import type { CheckpointReached, InputRequest, PlannedStep, RunEnd } from '../../events/run-event.js';
import { getStateRunId, toCheckpointId, toStateId } from './langgraph-checkpoints.js';
import { isBreakpoint, toInterrupt, type LangGraphInterrupt } from './langgraph-interrupts.js';
import { toValues } from './langgraph-messages.js';
import { ReachedStates, type ReachedState } from './reached-states.js';
import { needStates, type RunStreamChunk, type RunValues, type StreamMode } from './run-stream-chunks.js';
import type { StreamedRun } from './streamed-run.js';
import type { LoggedState } from './state-owners.js';

/** A task whose step has ended. */
export interface EndedTask {
  readonly stepId: string;
  readonly name: string;
  /** Keys of the state that it wrote, and its messages. */
  readonly toResult: () => Readonly<Record<string, unknown>>;
}

/** A run's log in the modes `checkpoints`, `tasks` and `debug`, which is both. Only runs that keep each of their states have such facts in their log. */
export class StateChunks {
  private readonly reached: ReachedStates;
  private values: RunValues = { messages: [] };
  private readonly isWanted: boolean;
  private step = 0;

  constructor(private readonly run: StreamedRun) {
    this.reached = new ReachedStates(run.questionId);
    this.isWanted = needStates([...run.modes]);
    if (this.isWanted) this.values = toValues(run.transcript);
  }

  map(recorded: RecordedEvent): RunStreamChunk[] {
    if (!this.isWanted) return [];
    const { event, at } = recorded;
    if (event.type === 'task') {
      const { stepId: id, name, triggers } = event;
      return this.tell(
        'tasks',
        'task',
        { id, name, input: this.values, triggers: [...triggers], interrupts: [] },
        at,
      );
    }
    if (event.type !== 'checkpoint') return [];
    const state = this.reached.hear(recorded, this.run.transcript);
    if (state) this.values = toValues(state);
    this.step = event.step;
    return event.next ? this.tell('checkpoints', 'checkpoint', this.toCheckpoint(event, state), at) : [];
  }

  /** Returns the chunks for tasks that are over, or that the end of the run has stopped. */
  finish(
    tasks: readonly EndedTask[],
    {
      at,
      end,
      pending,
    }: { readonly at: number; readonly end: RunEnd | undefined; readonly pending: Iterable<InputRequest> },
  ): RunStreamChunk[] {
    if (!this.isWanted) return [];
    const asked = end?.outcome === 'awaiting-input' ? [...pending].filter((each) => !isBreakpoint(each)) : [];
    return tasks.flatMap(({ stepId: id, name, toResult }) => {
      const interrupts = asked.filter(({ stepId }) => stepId === id).map(toInterrupt);
      const isOver = interrupts.length === 0 && end?.outcome !== 'failed';
      const error = end?.outcome === 'failed' ? { error: end.error?.message ?? 'The agent failed.' } : {};
      return this.tell(
        'tasks',
        'task_result',
        { id, name, result: isOver ? toResult() : {}, interrupts, ...error },
        at,
      );
    });
  }

  private tell(
    mode: 'checkpoints' | 'tasks',
    type: 'checkpoint' | 'task' | 'task_result',
    payload: object,
    at: number,
  ): RunStreamChunk[] {
    const has = (wanted: StreamMode) => this.run.modes.has(wanted);
    const timestamp = new Date(at).toISOString();
    return [
      ...(has(mode) ? [{ event: mode, data: payload } as const] : []),
      ...(has('debug')
        ? [{ event: 'debug', data: { step: this.step, type, timestamp, payload } } as const]
        : []),
    ];
  }

  private toCheckpoint(event: CheckpointReached, state: ReachedState | undefined) {
    const { runId, checkpointId: id, parentId, parentRunId = runId, source, step, next = [] } = event;
    const checkpoint = this.toPlace({ id, runId });
    const parent = parentId === undefined ? null : this.toPlace({ id: parentId, runId: parentRunId });
    return {
      config: { configurable: checkpoint },
      values: state ? toValues(state) : this.values,
      metadata: { source, step, run_id: this.name({ id, runId }).runId, thread_id: this.run.threadId },
      next: next.map(({ name }) => name),
      tasks: next.map((planned) => this.toTask(planned)),
      checkpoint,
      parent_config: parent && { configurable: parent },
      parent_checkpoint: parent,
    };
  }

  private toTask({ stepId: id, name, path, isGraph }: PlannedStep) {
    const place = { thread_id: this.run.threadId, checkpoint_ns: `${name}:${id}` };
    const interrupts: LangGraphInterrupt[] = [];
    return {
      id,
      name,
      path: path ?? ['__pregel_pull', name],
      interrupts,
      state: isGraph ? { configurable: place } : null,
    };
  }

  private toPlace(state: LoggedState) {
    return {
      thread_id: this.run.threadId,
      checkpoint_ns: '',
      checkpoint_id: this.name(state).checkpointId,
      checkpoint_map: null,
    };
  }

  private name(state: LoggedState): { readonly checkpointId: string; readonly runId: string } {
    const name = this.run.nameState?.(state);
    if (name) return { checkpointId: toCheckpointId(name), runId: getStateRunId(name.run) };
    const { id, runId = this.run.stateRunId ?? this.run.runId } = state;
    return { checkpointId: toStateId(runId, id), runId };
  }
}

import type { CheckpointReached, PlannedStep } from '../../events/run-event.js';
import type { AgentContext } from '../agent.js';
import { readRunId } from './checkpoint-run.js';
import type { CompiledGraph } from './graph-source.js';
import type { PutCheckpoint } from './run-checkpoints.js';
import type { ThreadMessages } from './thread-state.js';

/** The graph of a run, and the run's own configuration of it. */
interface ConfiguredGraph {
  readonly graph: CompiledGraph;
  readonly configurable: Readonly<Record<string, unknown>>;
}

/** Steps that are named as the next ones of a state. */
const MOST_NEXT = 100;

/** LangGraph's `checkpoints` stream, as far as it is read. */
interface CheckpointPayload {
  readonly config?: { readonly configurable?: Readonly<Record<string, unknown>> };
  readonly parentConfig?: CheckpointPayload['config'];
  readonly metadata?: { readonly step?: number; readonly source?: string };
  readonly tasks: readonly {
    readonly id: string;
    readonly name: string;
    readonly path?: readonly unknown[];
    readonly state?: unknown;
  }[];
}

/** Tells of each state that a graph reaches, in a run that keeps them all: that it is reached, in the commit that stores it, and then what is next. */
export class KeptStates {
  private readonly own = new Set<string>();
  private base: { readonly id: string; readonly runId: string } | undefined;

  constructor(private readonly run: Pick<AgentContext, 'runId' | 'emit' | 'completedSteps'>) {}

  /** Learns the state that the run begins with, or that an earlier owner has reached, with the run of the one before it. */
  async begin(
    { snapshot, runId }: Pick<ThreadMessages, 'snapshot' | 'runId'>,
    { graph, configurable }: ConfiguredGraph,
  ): Promise<void> {
    this.learn(snapshot?.config, runId);
    const parent = snapshot?.parentConfig;
    if (runId !== this.run.runId || !parent) return;
    const { metadata } = await graph.getState({
      configurable: { ...configurable, ...parent.configurable },
    });
    this.learn(parent, readRunId(metadata));
  }

  /** The graph has reached a state, which is being stored. */
  reached({ config, checkpoint, metadata }: PutCheckpoint): void {
    this.own.add(checkpoint.id);
    const { step, source } = metadata;
    void this.run.emit({
      type: 'checkpoint',
      checkpointId: checkpoint.id,
      ...this.describe(config),
      step,
      source,
    });
  }

  /** The run has changed the state, and this is the state that it has made. */
  changed({ snapshot }: Pick<ThreadMessages, 'snapshot'>): void {
    const id = readId(snapshot?.config);
    if (!snapshot || id === undefined) return;
    this.own.add(id);
    const { step = 0, source = 'update' } = snapshot.metadata ?? {};
    const place = this.describe(snapshot.parentConfig);
    const next = snapshot.tasks.map(toPlanned);
    void this.run.emit({ type: 'checkpoint', checkpointId: id, ...place, step, source, next });
  }

  /** Hears the stream of the graph itself. */
  hear(mode: string, payload: unknown): void {
    if (mode === 'checkpoints') this.hearCheckpoint(payload as CheckpointPayload);
    if (mode !== 'tasks') return;
    const { id, name, triggers } = payload as { id: string; name: string; triggers?: readonly string[] };
    // What an earlier owner has finished is announced once more, and was told then.
    if (triggers && !this.run.completedSteps.has(id))
      void this.run.emit({ type: 'task', stepId: id, name, triggers: triggers.slice(0, MOST_NEXT) });
  }

  private hearCheckpoint({ config, parentConfig, metadata, tasks }: CheckpointPayload): void {
    const id = readId(config);
    if (id === undefined) return;
    const writer = this.own.has(id) ? undefined : (readRunId(metadata as never) ?? this.base?.runId);
    const { step = 0, source = 'loop' } = metadata ?? {};
    void this.run.emit({
      type: 'checkpoint',
      checkpointId: id,
      ...(writer !== undefined && writer !== this.run.runId && { runId: writer }),
      ...this.describe(parentConfig),
      step,
      source,
      next: tasks.slice(0, MOST_NEXT).map(toPlanned),
    });
  }

  private learn(config: CheckpointPayload['config'], runId: string | undefined): void {
    const id = readId(config);
    if (id === undefined || runId === undefined) return;
    if (runId === this.run.runId) this.own.add(id);
    else this.base = { id, runId };
  }

  private describe(parent: CheckpointPayload['config']): Pick<CheckpointReached, 'parentId' | 'parentRunId'> {
    const parentId = readId(parent);
    if (parentId === undefined) return {};
    return { parentId, ...(parentId === this.base?.id && { parentRunId: this.base.runId }) };
  }
}

function readId(config: CheckpointPayload['config']): string | undefined {
  const id = config?.configurable?.['checkpoint_id'];
  return typeof id === 'string' ? id : undefined;
}

function toPlanned({ id, name, path, state }: CheckpointPayload['tasks'][number]): PlannedStep {
  // Of a step that one has sent, LangGraph's path has the whole path of that one.
  const plain = path?.filter((part) => typeof part === 'string' || typeof part === 'number');
  return {
    stepId: id,
    name,
    ...(plain && { path: plain }),
    ...(state !== undefined && { isGraph: true as const }),
  };
}

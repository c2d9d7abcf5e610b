import type { RunnableConfig } from '@langchain/core/runnables';
import type {
  BaseCheckpointSaver,
  ChannelVersions,
  Checkpoint,
  CheckpointMetadata,
  CheckpointTuple,
  PendingWrite,
} from '@langchain/langgraph-checkpoint';
import { findBranchCheckpoint, type RunPlace } from './branch-checkpoint.js';
import { toCheckpointKey } from './checkpoint-key.js';

/** A checkpoint as LangGraph hands it to a saver. */
export interface PutCheckpoint {
  readonly config: RunnableConfig;
  readonly checkpoint: Checkpoint;
  readonly metadata: CheckpointMetadata;
  readonly newVersions: ChannelVersions;
  /** Tells of the state in it, once the steps are over that led to it. */
  readonly tell?: () => void;
}

/** The writes of a task, as LangGraph hands them to a saver. */
export interface PutWrites {
  readonly config: RunnableConfig;
  readonly writes: PendingWrite[];
  readonly taskId: string;
  readonly taskPath: string | undefined;
}

/** The calls by which checkpoints learn about the steps of a run. */
export interface RunSteps {
  /** True for a step that has begun. False for the task that only hands a run's input on. */
  isUnderWay(stepId: string): boolean;
  /**
   * LangGraph has a task's result, as pairs of channel and value, and it is stored in this same turn of the event loop. False when
   * the run was stopped before: the step is not over, and its result is not stored, so that the next owner does it again.
   */
  isFinished(stepId: string, writes: unknown): boolean;
}

export interface RunCheckpointsOptions {
  /** Nothing can be stored of this thread yet. */
  readonly isNewThread: boolean;
  /** Nothing is left out: for storages and graphs that go back to earlier checkpoints. */
  readonly keepsHistory: boolean;
  readonly place: RunPlace;
}

/** Writes that say that a task has not finished: it failed, or waits for a person. */
const UNFINISHED = new Set(['__error__', '__interrupt__', '__scheduled__']);

/** The answers that a task was given. They come before its result, and alone until there is one. */
const RESUME = '__resume__';

/**
 * Stores the state of one run's graph, and chooses when.
 *
 * A task's result is stored in the moment in which its step ends, in the same turn of the event loop, so that a storage that can
 * commits them together: no step is over in the log and unfinished in the checkpoint, nor the other way round.
 *
 * Skips checkpoints that no reader depends on. Until its first step ends, a run's state is its input, and a new owner has that from the
 * run's record. And what a task wrote is in the checkpoint that follows; by itself it counts only while other tasks of its step are
 * still at work. For an answer of one step LangGraph asks for three checkpoints and two sets of writes: one checkpoint is stored.
 * A reader has what waits stored first: see {@link store}.
 */
export class RunCheckpoints {
  private standing: { readonly tuple: CheckpointTuple | undefined } | undefined;
  private input: HeldInput | undefined;
  private results: HeldResult[] = [];
  private turnEnd: NodeJS.Immediate | undefined;
  private hasSaved = false;
  private stored: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly storage: BaseCheckpointSaver,
    private readonly steps: RunSteps,
    private readonly options: RunCheckpointsOptions,
  ) {
    if (options.isNewThread) this.standing = { tuple: undefined };
  }

  /**
   * Returns the newest checkpoint of the run's branch. A run needs it twice before it writes anything, so a long thread is read
   * and decoded only once.
   */
  async newest(config: RunnableConfig): Promise<CheckpointTuple | undefined> {
    const known = this.standing;
    this.standing = undefined;
    if (known) return known.tuple;
    await this.store();
    const { place } = this.options;
    const mayHaveOwn = this.hasSaved || place.attempt > 1;
    const tuple = await findBranchCheckpoint(this.storage, config, place, { mayHaveOwn });
    // With writes that are in no checkpoint yet, LangGraph works on the tuple itself, so that it is good for one reader only.
    if (!tuple?.pendingWrites?.length) this.standing = { tuple };
    return tuple;
  }

  put(put: PutCheckpoint): Promise<RunnableConfig> {
    this.standing = undefined;
    if (this.mayWait(put)) {
      if (this.results.length > 0) return this.putResults(put);
      if (put.metadata.source === 'input') return this.hold({ ...put, phase: 'come' });
      if (this.input?.phase === 'handed-on')
        return this.hold({ ...superseding(this.input, put), phase: 'applied' });
    }
    void this.store();
    put.tell?.();
    return this.save(put);
  }

  putWrites(put: PutWrites): Promise<void> {
    this.standing = undefined;
    const { taskId, writes } = put;
    if (!isResult(writes)) {
      void this.store();
      return saveWrites(this.storage, put);
    }
    if (this.input?.phase === 'come' && !this.steps.isUnderWay(taskId)) {
      this.input = { ...this.input, phase: 'handed-on' };
      return Promise.resolve();
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.results.push({ ...put, savedBy: resolve });
    if (this.mayWait(put)) this.turnEnd ??= setImmediate(() => void this.store());
    else void this.store();
    return promise;
  }

  /** True between a task's result and its step's end. */
  holds(stepId: string): boolean {
    return this.results.some(({ taskId }) => taskId === stepId);
  }

  /**
   * Hands everything that waits to the storage before it returns; resolves when that is durable. For readers of what the run
   * has stored, for tools, which must not begin before what led to them is safe, and for the run's end.
   */
  store(): Promise<unknown> {
    const { input, results } = this.take();
    this.saveEach(input, this.finish(results));
    return this.stored;
  }

  /** A subgraph's state belongs to a task of the graph around it, and is made again with that: it is stored as it comes. */
  private mayWait({ config }: { readonly config: RunnableConfig }): boolean {
    return !this.options.keepsHistory && toCheckpointKey(config).namespace === '';
  }

  private hold(input: HeldInput): Promise<RunnableConfig> {
    // It may be told of what must not wait, and is stored then.
    this.input = input;
    input.tell?.();
    return Promise.resolve(savedAs(input));
  }

  /** The checkpoint of a step that all tasks have finished has what they wrote, and the input. */
  private putResults(put: PutCheckpoint): Promise<RunnableConfig> {
    const { input, results } = this.take();
    const finished = this.finish(results);
    if (finished.length < results.length) {
      this.saveEach(input, finished);
      return Promise.resolve(savedAs(put));
    }
    put.tell?.();
    const saved = this.save(input ? superseding(input, put) : put);
    for (const { savedBy } of results) savedBy(saved.then(() => undefined));
    return saved;
  }

  /** Those whose step is over now. The end of the first may be the boundary at which the run is given back, and the rest is not done. */
  private finish(results: readonly HeldResult[]): readonly HeldResult[] {
    return results.filter(({ taskId, writes, savedBy }) => {
      const isOver = this.steps.isFinished(taskId, writes);
      if (!isOver) savedBy(Promise.resolve());
      return isOver;
    });
  }

  private saveEach(input: HeldInput | undefined, results: readonly HeldResult[]): void {
    if (input) this.track(this.save(input));
    for (const result of results) result.savedBy(saveWrites(this.storage, result));
  }

  private take(): { readonly input: HeldInput | undefined; readonly results: readonly HeldResult[] } {
    const { input, results } = this;
    this.input = undefined;
    this.results = [];
    clearImmediate(this.turnEnd);
    this.turnEnd = undefined;
    return { input, results };
  }

  private save({ config, checkpoint, metadata, newVersions }: PutCheckpoint): Promise<RunnableConfig> {
    this.hasSaved = true;
    return this.storage.put(config, checkpoint, metadata, newVersions);
  }

  /** A failure rejects `store`, at the latest to the run when it ends. */
  private track(saved: Promise<unknown>): void {
    this.stored = Promise.all([this.stored, saved]);
    this.stored.catch(() => undefined);
  }
}

/** A run's input, in a checkpoint that is not stored yet. */
interface HeldInput extends PutCheckpoint {
  /** LangGraph writes it down as it came, has a task of its own hand it on, and writes down the channels that then have it. */
  readonly phase: 'come' | 'handed-on' | 'applied';
}

interface HeldResult extends PutWrites {
  /** Called with what stores it. */
  readonly savedBy: (saved: Promise<void>) => void;
}

/** False for writes that say only how far a task is. */
function isResult(writes: readonly PendingWrite[]): boolean {
  const channels = writes.map(([channel]) => channel);
  return !channels.some((channel) => UNFINISHED.has(channel)) && channels.some((name) => name !== RESUME);
}

/** The later checkpoint in the place of the earlier, which has not been read: with its parent, and with what was new in it. */
function superseding(earlier: PutCheckpoint, later: PutCheckpoint): PutCheckpoint {
  return {
    ...later,
    config: {
      ...later.config,
      configurable: { ...later.config.configurable, checkpoint_id: getParentId(earlier) },
    },
    newVersions: { ...earlier.newVersions, ...later.newVersions },
  };
}

/** Returns the config by which the saved checkpoint is found. */
function savedAs({ config, checkpoint }: PutCheckpoint): RunnableConfig {
  const { threadId, namespace } = toCheckpointKey(config);
  return { configurable: { thread_id: threadId, checkpoint_ns: namespace, checkpoint_id: checkpoint.id } };
}

function getParentId({ config }: PutCheckpoint): unknown {
  return config.configurable?.['checkpoint_id'];
}

/** LangGraph's declaration has three parameters; the savers take, and its loop gives, the path as a fourth. */
export function saveWrites(storage: BaseCheckpointSaver, put: PutWrites): Promise<void> {
  const putWrites = storage.putWrites.bind(storage) as (...all: unknown[]) => Promise<void>;
  return putWrites(put.config, put.writes, put.taskId, put.taskPath);
}

import { Injectable } from '@nestjs/common';
import { lastValueFrom, takeUntil, timer } from 'rxjs';
import type { z } from 'zod';
import { AppError, MissingError } from '../../errors.js';
import type { Principal } from '../../principal.js';
import { mapParents, selectBranch } from '../../runs/branches.js';
import type { Run } from '../../runs/run.js';
import { RunFeed } from '../../runs/run.feed.js';
import { RunService } from '../../runs/run.service.js';
import { ThreadService } from '../../runs/thread.service.js';
import { currentRun, ThreadTranscripts } from '../transcript/thread-transcripts.js';
import type { Transcript } from '../transcript/transcript.js';
import { getQuestionId } from './langgraph-input.js';
import { LangGraphStateUpdates } from './langgraph-state-updates.js';
import { toUpdate } from './state-update-input.js';
import { LangGraphMoments } from './langgraph-moments.js';
import { findNamed, parseCheckpointId, type MomentName } from './langgraph-checkpoints.js';
import { toPath } from './langgraph-namespace.js';
import {
  toInnerState,
  toState,
  toThread,
  type LangGraphState,
  type LangGraphThread,
} from './langgraph-resources.js';
import type { createThreadSchema, historySchema } from './run-stream-input.js';
import { StateOwners, type LoggedState } from './state-owners.js';

/** What was in a thread before a run. */
export interface ThreadBefore {
  /** With the run's question. */
  readonly transcript: Transcript;
  /** Names a state that the run's log names. */
  readonly nameState: (state: LoggedState) => MomentName | undefined;
}

/** Threads and their runs, as LangGraph's API shows them. A run of another thread, or of somebody else, does not exist. */
@Injectable()
export class LangGraphThreads {
  constructor(
    private readonly threads: ThreadService,
    private readonly runs: RunService,
    private readonly feed: RunFeed,
    private readonly transcripts: ThreadTranscripts,
    private readonly moments: LangGraphMoments,
    private readonly updates: LangGraphStateUpdates,
  ) {}

  /** @throws AppError NOT_FOUND */
  async get(principal: Principal, threadId: string): Promise<LangGraphThread> {
    const thread = await this.threads.get(principal, threadId);
    const runs = await this.transcripts.listRuns(principal, threadId);
    const current = currentRun(runs);
    const state = current && (await this.buildState(threadId, runs, { current }));
    return toThread(thread, state, current);
  }

  /** @throws AppError ID_TAKEN */
  async create(
    principal: Principal,
    {
      thread_id: threadId,
      metadata,
      if_exists: whenThere,
      supersteps,
      ttl,
    }: z.output<typeof createThreadSchema>,
  ): Promise<LangGraphThread> {
    const { outcome, thread } = await this.threads.create(principal, {
      ...(threadId && { threadId }),
      ...(metadata && { metadata }),
      ...(ttl && { ttlMs: ttl }),
    });
    if (outcome === 'created' && supersteps?.length) {
      await this.updates.fill(
        principal,
        thread.id,
        supersteps.map(({ updates }) => ({ updates: updates.map(toUpdate) })),
      );
      return this.get(principal, thread.id);
    }
    if (outcome === 'created') return toThread(thread, undefined, undefined);
    if (whenThere === 'do_nothing') return this.get(principal, thread.id);
    throw new AppError('ID_TAKEN', `There is a thread '${thread.id}' already. Send if_exists: do_nothing.`);
  }

  /**
   * Returns the messages of a thread; while a run goes on, those before it and its question.
   *
   * @param checkpointId absent: as it is now
   * @throws AppError NOT_FOUND
   */
  async state(principal: Principal, threadId: string, checkpointId?: string | null): Promise<LangGraphState> {
    const runs = await this.transcripts.listRuns(principal, threadId);
    return this.buildState(threadId, runs, { current: currentRun(runs), checkpointId });
  }

  /**
   * Returns the states of all branches, the newest first: one for each question, and one for each run that has ended. Each repeats what was
   * said before it, so there may be fewer than `limit`: a client goes on with `before`. In a namespace there is one state: what the agent there
   * has said.
   *
   * @throws AppError NOT_FOUND
   */
  async history(
    principal: Principal,
    threadId: string,
    { limit, before, checkpoint, metadata }: z.output<typeof historySchema>,
  ): Promise<LangGraphState[]> {
    const all = await this.transcripts.listRuns(principal, threadId);
    if (checkpoint?.checkpoint_ns) {
      const inner = await this.moments.readInside(all, toPath(checkpoint.checkpoint_ns));
      return inner ? [toInnerState(inner)] : [];
    }
    const current = currentRun(all);
    const end = before?.checkpoint_id ?? before?.configurable?.checkpoint_id ?? undefined;
    const runs = all.slice(0, all.findIndex(({ id }) => id === current?.id) + 1);
    return (await this.moments.read(runs, { limit, before: end, metadata, current }))
      .map(toState)
      .toReversed();
  }

  /** @param threadId absent: whichever it is. @throws AppError NOT_FOUND */
  async run(principal: Principal, runId: string, threadId?: string): Promise<Run> {
    const run = await this.runs.get(principal, runId);
    if (threadId === undefined || run.threadId === threadId) return run;
    throw new MissingError('run', runId, ` in thread '${threadId}'`);
  }

  /** Stops a run; with `wait` it has ended when this resolves, or does not end in time. @throws AppError NOT_FOUND */
  async cancel(run: Run, { wait = false }: { readonly wait?: boolean | undefined }): Promise<void> {
    const { id: runId, lastSeq: afterSeq } = await this.runs.cancel(run.principal, run.id);
    if (!wait) return;
    const events = this.feed.follow({ runId, afterSeq });
    await lastValueFrom(events.pipe(takeUntil(timer(CANCEL_WAIT_MS))), { defaultValue: undefined });
  }

  /** Returns the thread up to a run's question, with the names of its states. */
  async upTo(run: Run): Promise<ThreadBefore> {
    const runs = await this.transcripts.listRuns(run.principal, run.threadId);
    const before = selectBranch(runs, run.id).slice(0, -1);
    const owners = new StateOwners(runs, mapParents(runs));
    const transcript = await this.transcripts.read(before, getQuestionId, {
      next: run,
      hear: ({ event }, heard) => {
        if (event.type === 'checkpoint' && event.runId === undefined) owners.learn(heard, event.checkpointId);
      },
    });
    transcript.ask(getQuestionId(run), run);
    return { transcript, nameState: (state) => owners.name(run, state) };
  }

  /** @param query `checkpointId`: default the state of the current run */
  private async buildState(
    threadId: string,
    runs: readonly Run[],
    {
      current,
      checkpointId,
    }: { readonly current: Run | undefined; readonly checkpointId?: string | null | undefined },
  ): Promise<LangGraphState> {
    const leaf = checkpointId ? findNamed(runs, parseCheckpointId(checkpointId).runId) : current;
    const branch = leaf ? selectBranch(runs, leaf.id) : [];
    const moments = await this.moments.read(branch, {
      limit: 1,
      current,
      ...(checkpointId && { only: checkpointId }),
    });
    const moment = moments.at(-1);
    if (!moment) throw new AppError('NOT_FOUND', `There is no such state in thread '${threadId}'.`);
    return toState(moment);
  }
}

/** Maximum wait for a cancelled run to end before its client gets a reply, in milliseconds. The client looks again by itself. */
const CANCEL_WAIT_MS = 5_000;

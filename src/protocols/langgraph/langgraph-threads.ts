import { Injectable } from '@nestjs/common';
import { lastValueFrom, takeUntil, timer } from 'rxjs';
import type { z } from 'zod';
import { AppError } from '../../errors.js';
import type { RunState } from '../../events/run-state.js';
import type { Principal } from '../../principal.js';
import { hasEnded, type Run } from '../../runs/run.js';
import { RunFeed } from '../../runs/run.feed.js';
import { RunService } from '../../runs/run.service.js';
import { ThreadService } from '../../runs/thread.service.js';
import { currentRun, selectNewest, ThreadTranscripts } from '../transcript/thread-transcripts.js';
import { Transcript } from '../transcript/transcript.js';
import { getQuestionId } from './langgraph-input.js';
import { toLangGraphMessage } from './langgraph-messages.js';
import {
  toCheckpointId,
  toState,
  toThread,
  type LangGraphState,
  type LangGraphThread,
  type Moment,
} from './langgraph-resources.js';
import type { historySchema } from './run-stream-input.js';

/** Threads and their runs, as LangGraph's API shows them. A run of another thread, or of somebody else, does not exist. */
@Injectable()
export class LangGraphThreads {
  constructor(
    private readonly threads: ThreadService,
    private readonly runs: RunService,
    private readonly feed: RunFeed,
    private readonly transcripts: ThreadTranscripts,
  ) {}

  /** @throws AppError NOT_FOUND */
  async get(principal: Principal, threadId: string): Promise<LangGraphThread> {
    const thread = await this.threads.get(principal, threadId);
    const runs = await this.transcripts.listRuns(principal, threadId);
    const current = currentRun(runs);
    return toThread(thread, await this.buildState(threadId, dropContinuations(runs), current), current);
  }

  /**
   * Returns the messages of a thread; while a run goes on, those before it and its question.
   *
   * @param checkpointId absent: as it is now
   * @throws AppError NOT_FOUND
   */
  async state(principal: Principal, threadId: string, checkpointId?: string | null): Promise<LangGraphState> {
    const all = await this.transcripts.listRuns(principal, threadId);
    const runs = dropContinuations(all);
    const end = checkpointId ? findIndex(checkpointId, runs) + 1 : runs.length;
    return this.buildState(threadId, runs.slice(0, end), currentRun(all));
  }

  /**
   * A state for each run that has ended, and one for the question of the run that goes on; the newest first. Each repeats what was
   * said before it, so there may be fewer than `limit`: a client goes on with `before`.
   *
   * @throws AppError NOT_FOUND
   */
  async history(
    principal: Principal,
    threadId: string,
    { limit, before, checkpoint }: z.output<typeof historySchema>,
  ): Promise<LangGraphState[]> {
    const all = await this.transcripts.listRuns(principal, threadId);
    const runs = dropContinuations(all);
    // A thread is shown as one conversation, whatever subgraphs took part in it.
    if (checkpoint?.checkpoint_ns) return [];
    const end = before?.checkpoint_id ?? before?.configurable?.checkpoint_id;
    const earlier = end ? runs.slice(0, Math.max(0, findIndex(end, runs))) : runs;
    return (await this.moments(earlier, { limit, current: currentRun(all) })).map(toState).toReversed();
  }

  /** @param threadId absent: whichever it is. @throws AppError NOT_FOUND */
  async run(principal: Principal, runId: string, threadId?: string): Promise<Run> {
    const run = await this.runs.get(principal, runId);
    if (threadId === undefined || run.threadId === threadId) return run;
    throw new AppError('NOT_FOUND', `There is no run '${runId}' in thread '${threadId}'.`);
  }

  /** Stops a run; with `wait` it has ended when this resolves, or does not end in time. @throws AppError NOT_FOUND */
  async cancel(run: Run, { wait = false }: { readonly wait?: boolean | undefined }): Promise<void> {
    const { id: runId, lastSeq: afterSeq } = await this.runs.cancel(run.principal, run.id);
    if (!wait) return;
    const events = this.feed.follow({ runId, afterSeq });
    await lastValueFrom(events.pipe(takeUntil(timer(CANCEL_WAIT_MS))), { defaultValue: undefined });
  }

  /** The thread up to a run's question. */
  async upTo(run: Run): Promise<Transcript> {
    const runs = await this.transcripts.listRuns(run.principal, run.threadId);
    const index = runs.findIndex(({ id }) => id === run.id);
    const transcript = await this.transcripts.read(runs.slice(0, index), getQuestionId);
    transcript.ask(getQuestionId(run), run.message);
    return transcript;
  }

  private async buildState(
    threadId: string,
    runs: readonly Run[],
    current: Run | undefined,
  ): Promise<LangGraphState> {
    const [moment] = await this.moments(runs, { limit: 1, current });
    if (!moment) throw new AppError('NOT_FOUND', `There is no such state in thread '${threadId}'.`);
    return toState(moment);
  }

  /** The last of the moments behind these runs: at most `limit`, as far as an answer has room, and at least one if there is one. */
  private async moments(
    runs: readonly Run[],
    { limit, current }: { readonly limit: number; readonly current: Run | undefined },
  ): Promise<Moment[]> {
    let transcript = new Transcript();
    const moments: (Moment & { readonly bytes: number })[] = [];
    const toMessage = memoized(toLangGraphMessage);
    const weigh = memoized((state: RunState) => JSON.stringify(state).length);
    const shown = selectNewest(runs);
    let before: Moment['before'] = toMoment(runs[runs.length - shown.length - 1]);
    let bytes = 0;
    for (const [index, run] of shown.entries()) {
      const moment = { run, answered: hasEnded(run) };
      transcript.ask(getQuestionId(run), run.message);
      if (moment.answered) transcript = await this.transcripts.readAnswer(run, transcript);
      if (index >= shown.length - limit) {
        const messages = transcript.entries.map(toMessage);
        const isLast = run.id === current?.id;
        const { state } = transcript;
        const weight = transcript.bytes + (state ? weigh(state) : 0);
        moments.push({ ...moment, messages, state, before, isLast, bytes: weight });
        bytes += weight;
        // Each of them has all that was said before it: the oldest make room.
        while (bytes > HISTORY_BYTES && moments.length > 1) bytes -= moments.shift()?.bytes ?? 0;
      }
      before = moment;
    }
    return moments;
  }
}

/** Maximum wait for a cancelled run to end before its client gets a reply, in milliseconds. The client looks again by itself. */
const CANCEL_WAIT_MS = 5_000;

/** Roughly the bytes of an answer with several states; more only when a single one is larger. */
const HISTORY_BYTES = 4 * 1024 * 1024;

function toMoment(run: Run | undefined): Moment['before'] {
  return run && { run, answered: hasEnded(run) };
}

/** Makes a value once for each key, and returns it again. */
function memoized<Key extends object, Value>(make: (key: Key) => Value): (key: Key) => Value {
  const made = new WeakMap<Key, Value>();
  return (key) => {
    const value = made.get(key) ?? make(key);
    made.set(key, value);
    return value;
  };
}

/** Without the runs that wait for the one that goes on: nothing was said to them yet. */
function dropContinuations(runs: readonly Run[]): Run[] {
  const last = runs.findIndex((run) => !hasEnded(run));
  return last < 0 ? [...runs] : runs.slice(0, last + 1);
}

/** The run behind which the state of that id is; -1 when there is none. */
function findIndex(checkpointId: string, runs: readonly Run[]): number {
  return runs.findIndex((run) => toCheckpointId({ run, answered: hasEnded(run) }) === checkpointId);
}

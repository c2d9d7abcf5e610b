import { Injectable } from '@nestjs/common';
import { lastValueFrom } from 'rxjs';
import type { z } from 'zod';
import { AppError } from '../../errors.js';
import type { Principal } from '../../principal.js';
import { hasEnded, type Run } from '../../runs/run.js';
import { RunFeed } from '../../runs/run.feed.js';
import { RunService } from '../../runs/run.service.js';
import { ThreadService } from '../../runs/thread.service.js';
import { currentRun, ThreadTranscripts } from '../transcript/thread.transcripts.js';
import { Transcript } from '../transcript/transcript.js';
import { questionIdOf } from './langgraph.input.js';
import { toLangGraphMessage } from './langgraph.messages.js';
import {
  checkpointIdOf,
  toState,
  toThread,
  type LangGraphState,
  type LangGraphThread,
  type Moment,
} from './langgraph.resources.js';
import type { historySchema } from './run-stream.input.js';

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
    const runs = await this.transcripts.runsOf(principal, threadId);
    const current = currentRun(runs);
    return toThread(thread, await this.stateOf(threadId, saidIn(runs), current), current);
  }

  /**
   * What was said; while a run goes on: before it, and its question.
   *
   * @param checkpointId absent: as it is now
   * @throws AppError NOT_FOUND
   */
  async state(principal: Principal, threadId: string, checkpointId?: string | null): Promise<LangGraphState> {
    const all = await this.transcripts.runsOf(principal, threadId);
    const runs = saidIn(all);
    const end = checkpointId ? indexOf(checkpointId, runs) + 1 : runs.length;
    return this.stateOf(threadId, runs.slice(0, end), currentRun(all));
  }

  /**
   * A state for each run that has ended, and one for the question of the run that goes on; the newest first.
   *
   * @throws AppError NOT_FOUND
   */
  async history(
    principal: Principal,
    threadId: string,
    { limit, before, checkpoint }: z.output<typeof historySchema>,
  ): Promise<LangGraphState[]> {
    const all = await this.transcripts.runsOf(principal, threadId);
    const runs = saidIn(all);
    // A thread is shown as one conversation, whatever subgraphs took part in it.
    if (checkpoint?.checkpoint_ns) return [];
    const end = before?.checkpoint_id ?? before?.configurable?.checkpoint_id;
    const earlier = end ? runs.slice(0, Math.max(0, indexOf(end, runs))) : runs;
    return (await this.moments(earlier, { limit, current: currentRun(all) })).map(toState).toReversed();
  }

  /** @param threadId absent: whichever it is. @throws AppError NOT_FOUND */
  async run(principal: Principal, runId: string, threadId?: string): Promise<Run> {
    const run = await this.runs.get(principal, runId);
    if (threadId === undefined || run.threadId === threadId) return run;
    throw new AppError('NOT_FOUND', `There is no run '${runId}' in thread '${threadId}'.`);
  }

  /** Stops a run; with `wait` it has ended when this resolves. @throws AppError NOT_FOUND */
  async cancel(run: Run, { wait = false }: { readonly wait?: boolean | undefined }): Promise<void> {
    const { id: runId, lastSeq: afterSeq } = await this.runs.cancel(run.principal, run.id);
    if (wait) await lastValueFrom(this.feed.follow({ runId, afterSeq }), { defaultValue: undefined });
  }

  /** The thread up to a run's question. */
  async upTo(run: Run): Promise<Transcript> {
    const runs = await this.transcripts.runsOf(run.principal, run.threadId);
    const index = runs.findIndex(({ id }) => id === run.id);
    const transcript = await this.transcripts.read(runs.slice(0, index), questionIdOf);
    transcript.ask(questionIdOf(run), run.message);
    return transcript;
  }

  private async stateOf(
    threadId: string,
    runs: readonly Run[],
    current: Run | undefined,
  ): Promise<LangGraphState> {
    const [moment] = await this.moments(runs, { limit: 1, current });
    if (!moment) throw new AppError('NOT_FOUND', `There is no such state in thread '${threadId}'.`);
    return toState(moment);
  }

  /** The last `limit` of the moments behind these runs. */
  private async moments(
    runs: readonly Run[],
    { limit, current }: { readonly limit: number; readonly current: Run | undefined },
  ): Promise<Moment[]> {
    const transcript = new Transcript();
    const moments: Moment[] = [];
    let before: Moment['before'];
    for (const [index, run] of runs.entries()) {
      const answered = hasEnded(run);
      transcript.ask(questionIdOf(run), run.message);
      if (answered) await this.transcripts.answer(run, transcript);
      const messages = () => transcript.entries.map(toLangGraphMessage);
      if (index >= runs.length - limit) {
        const isLast = run.id === current?.id;
        moments.push({ run, answered, messages: messages(), before, isLast });
      }
      before = { run, answered };
    }
    return moments;
  }
}

/** Without the runs that wait for the one that goes on: nothing was said to them yet. */
function saidIn(runs: readonly Run[]): Run[] {
  const last = runs.findIndex((run) => !hasEnded(run));
  return last < 0 ? [...runs] : runs.slice(0, last + 1);
}

/** The run behind which the state of that id is; -1 when there is none. */
function indexOf(checkpointId: string, runs: readonly Run[]): number {
  return runs.findIndex((run) => checkpointIdOf({ run, answered: hasEnded(run) }) === checkpointId);
}

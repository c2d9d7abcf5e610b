import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import type { RecordedEvent } from '../../events/recorded-event.js';
import { toSubagentId } from '../../events/subagent.js';
import { mapParents } from '../../runs/branches.js';
import { hasEnded, type Run } from '../../runs/run.js';
import type { TranscriptEntry } from '../transcript/transcript-entries.js';
import { selectNewest, ThreadTranscripts } from '../transcript/thread-transcripts.js';
import { Transcript } from '../transcript/transcript.js';
import { getQuestionId } from './langgraph-input.js';
import { toLangGraphMessage } from './langgraph-messages.js';
import { FoundMoments } from './found-moments.js';
import { findNamed, getStateRunId, parseCheckpointId } from './langgraph-checkpoints.js';
import type { InnerMoment, Moment } from './langgraph-resources.js';
import { MomentPlacer } from './moment-placer.js';
import { ReachedStates } from './reached-states.js';

/** The states to read. */
export interface MomentQuery {
  readonly limit: number;
  /** Only those before the state of this id. */
  readonly before?: string | undefined;
  /** Only the state of this id. */
  readonly only?: string | undefined;
  readonly metadata?: Readonly<Record<string, unknown>> | null | undefined;
  /** The active run, or else the last one. */
  readonly current: Run | undefined;
}

/** Reads the states of a thread: those that its runs have kept, or two for each run, with its question and with its answer. */
@Injectable()
export class LangGraphMoments {
  constructor(private readonly transcripts: ThreadTranscripts) {}

  /**
   * Returns the newest of the requested states, the oldest first: as many as a reply has room for, and at least one if there is one.
   *
   * @param runs of one branch of a thread or of all, the oldest first
   */
  async read(runs: readonly Run[], query: MomentQuery): Promise<Moment[]> {
    const parents = mapParents(runs);
    const forks = new Set(runs.flatMap(({ given }) => given?.fromCheckpoint ?? []));
    const transcripts = new Map<string, Transcript>();
    const found = new FoundMoments(query);
    const placer = new MomentPlacer(runs, parents);
    const shown = keepShown(runs, selectRuns(runs, query), parents);
    for (const run of selectNewest(shown)) {
      if (found.isComplete) break;
      const from = parents.get(run.id)?.id ?? '';
      const base = transcripts.get(run.given?.fromCheckpoint ?? from) ?? transcripts.get(from);
      const asked = base?.fork() ?? new Transcript();
      asked.ask(getQuestionId(run), run);
      let reached = new ReachedStates(getQuestionId(run));
      const begin = () => {
        reached = new ReachedStates(getQuestionId(run));
      };
      const hear = (recorded: RecordedEvent, transcript: Transcript) => {
        const state = reached.hear(recorded, transcript);
        const id = state?.event.checkpointId;
        if (id === undefined || !forks.has(id)) return;
        const fork = transcripts.get(id) ?? transcript.fork();
        fork.state = state?.state;
        transcripts.set(id, fork);
      };
      const transcript = hasEnded(run)
        ? await this.transcripts.readAnswer(run, asked, { begin, hear })
        : asked;
      const { newest } = reached;
      // What is held back until the end is said after the last state, which has it.
      const last = run.status === 'completed' ? newest : undefined;
      if (last && forks.has(last.event.checkpointId)) transcripts.set(last.event.checkpointId, transcript);
      for (const place of placer.list(run, reached.list())) {
        const kept = place.reached === last ? undefined : place.reached;
        const { entries, state } = kept ?? (place.answered ? transcript : asked);
        found.add(place, { entries, state, owners: transcript.owners });
      }
      transcripts.set(run.id, transcript);
    }
    return found.moments;
  }

  /**
   * Returns what an agent inside a run's own has said when it was at work last; undefined if no recent run of the thread has such an agent.
   *
   * @param namespace the agent's, as in the states and events of the thread
   * @param runs of the thread, the oldest first
   */
  async readInside(runs: readonly Run[], namespace: string): Promise<InnerMoment | undefined> {
    for (const run of runs.slice(-SEARCHED_RUNS).toReversed()) {
      const { entries } = await this.transcripts.readAnswer(run, new Transcript(true));
      const said = selectSaidBy(namespace, entries);
      if (said.length > 0) return { run, namespace, messages: said.map(toLangGraphMessage) };
    }
    return undefined;
  }
}

/** Maximum of the runs that are searched for an agent. */
const SEARCHED_RUNS = 20;

/** Selects what an agent has said and called, with the results. */
function selectSaidBy(namespace: string, entries: readonly TranscriptEntry[]): readonly TranscriptEntry[] {
  const calls = new Set<string>();
  return entries.filter((entry) => {
    if (entry.kind === 'user') return false;
    if (entry.kind === 'result') return calls.has(entry.toolCallId);
    if (!entry.subagent || toSubagentId(entry.subagent) !== namespace) return false;
    if (entry.kind === 'assistant') for (const { toolCallId } of entry.calls) calls.add(toolCallId);
    return true;
  });
}

/** Selects the runs that may have wanted states. Each has at least one. */
function selectRuns(runs: readonly Run[], { limit, before, only, metadata }: MomentQuery): readonly Run[] {
  const named = only ?? before;
  const last =
    named === undefined ? -1 : runs.findIndex((run) => findNamed([run], parseCheckpointId(named).runId));
  if (named !== undefined && last === -1) return [];
  const earlier = named === undefined ? runs : runs.slice(0, last + 1);
  if (only !== undefined) return earlier.slice(-1);
  const wanted = Object.entries(metadata ?? {});
  const fitting = earlier.filter((run) =>
    wanted.every(
      ([key, value]) =>
        OF_STATES.has(key) ||
        isDeepStrictEqual(
          { ...run.metadata, run_id: getStateRunId(run), thread_id: run.threadId }[key],
          value,
        ),
    ),
  );
  // The run of `before` may have no state before that one.
  return wanted.some(([key]) => OF_STATES.has(key)) ? fitting : fitting.slice(-limit - 1);
}

/** Metadata in which the states of one run differ. */
const OF_STATES = new Set(['source', 'step']);

/** Returns these runs, and those that they go on from. */
function keepShown(runs: readonly Run[], wanted: readonly Run[], parents: ReadonlyMap<string, Run>): Run[] {
  const shown = new Set<string>();
  for (const each of wanted) {
    let run: Run | undefined = each;
    for (; run && !shown.has(run.id); run = parents.get(run.id)) shown.add(run.id);
  }
  return runs.filter(({ id }) => shown.has(id));
}

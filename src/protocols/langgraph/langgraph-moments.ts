import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import type { RunState } from '../../events/run-state.js';
import { toSubagentId } from '../../events/subagent.js';
import { mapParents } from '../../runs/branches.js';
import { hasEnded, type Run } from '../../runs/run.js';
import type { TranscriptEntry } from '../transcript/transcript-entries.js';
import { selectNewest, ThreadTranscripts } from '../transcript/thread-transcripts.js';
import type { StepOwners } from '../transcript/step-owners.js';
import { Transcript } from '../transcript/transcript.js';
import { getQuestionId } from './langgraph-input.js';
import { toLangGraphMessage } from './langgraph-messages.js';
import { toCheckpointId } from './langgraph-checkpoints.js';
import {
  isUpdate,
  toMomentMetadata,
  type InnerMoment,
  type Moment,
  type MomentPlace,
} from './langgraph-resources.js';

/** The states to read. */
export interface MomentQuery {
  readonly limit: number;
  /** Only those before the state of this id. */
  readonly before?: string | undefined;
  readonly metadata?: Readonly<Record<string, unknown>> | null | undefined;
  /** The active run, or else the last one. */
  readonly current: Run | undefined;
}

/** Approximate size in bytes of a reply with several states. Only a single state may be larger. */
const HISTORY_BYTES = 4 * 1024 * 1024;

/** Reads the states of a thread: two for each run, with its question and with its answer. */
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
    const places = selectPlaces(listPlaces(runs, parents), query);
    const wanted = new Map(places.map((place) => [toCheckpointId(place), place]));
    const transcripts = new Map<string, Transcript>();
    const moments: (Moment & { readonly bytes: number })[] = [];
    const toMessage = memoized(toLangGraphMessage);
    const weigh = memoized((state: RunState) => JSON.stringify(state).length);
    let bytes = 0;
    const note = (
      place: MomentPlace | undefined,
      { entries, state, bytes: said }: Transcript,
      owners: StepOwners,
    ) => {
      if (!place) return;
      const weight = said + (state ? weigh(state) : 0);
      const isLast = place.run.id === query.current?.id;
      moments.push({ ...place, messages: entries.map(toMessage), state, owners, isLast, bytes: weight });
      bytes += weight;
      // Each repeats all earlier messages, so the oldest are dropped first.
      while (bytes > HISTORY_BYTES && moments.length > 1) bytes -= moments.shift()?.bytes ?? 0;
    };
    for (const run of selectNewest(keepShown(runs, places, parents))) {
      const asked = transcripts.get(parents.get(run.id)?.id ?? '')?.fork() ?? new Transcript();
      asked.ask(getQuestionId(run), run);
      const transcript = hasEnded(run) ? await this.transcripts.readAnswer(run, asked) : asked;
      note(wanted.get(toCheckpointId({ run, answered: false })), asked, transcript.owners);
      if (hasEnded(run))
        note(wanted.get(toCheckpointId({ run, answered: true })), transcript, transcript.owners);
      transcripts.set(run.id, transcript);
    }
    return moments;
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

/** Lists the states of these runs, each with the one before it. */
function listPlaces(runs: readonly Run[], parents: ReadonlyMap<string, Run>): MomentPlace[] {
  return runs.flatMap((run) => {
    const parent = parents.get(run.id);
    const before = parent && { run: parent, answered: true };
    const question = { run, answered: false, before };
    if (!hasEnded(run)) return [question];
    // A run that continues with an answer, or changes the state, has no question of its own.
    if (isUpdate(run) || (run.resumeOf !== undefined && parent)) return [{ run, answered: true, before }];
    return [question, { run, answered: true, before: question }];
  });
}

function selectPlaces(
  places: readonly MomentPlace[],
  { limit, before, metadata }: MomentQuery,
): readonly MomentPlace[] {
  const end = before === undefined ? -1 : places.findIndex((place) => toCheckpointId(place) === before);
  const earlier = before === undefined ? places : places.slice(0, Math.max(0, end));
  const wanted = Object.entries(metadata ?? {});
  const fitting = earlier.filter((place) => {
    const found = toMomentMetadata(place);
    return wanted.every(([key, value]) => isDeepStrictEqual(found[key], value));
  });
  return fitting.slice(-limit);
}

/** Returns the runs that appear in any of these states. */
function keepShown(
  runs: readonly Run[],
  places: readonly MomentPlace[],
  parents: ReadonlyMap<string, Run>,
): Run[] {
  const shown = new Set<string>();
  for (const place of places) {
    let run: Run | undefined = place.run;
    for (; run && !shown.has(run.id); run = parents.get(run.id)) shown.add(run.id);
  }
  return runs.filter(({ id }) => shown.has(id));
}

/** Returns the value of a key, which is made once. */
function memoized<Key extends object, Value>(make: (key: Key) => Value): (key: Key) => Value {
  const made = new WeakMap<Key, Value>();
  return (key) => {
    const value = made.get(key) ?? make(key);
    made.set(key, value);
    return value;
  };
}

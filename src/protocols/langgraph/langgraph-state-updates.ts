import { Injectable } from '@nestjs/common';
import { lastValueFrom } from 'rxjs';
import type { GivenStateChange, KnownMessage, KnownPlace } from '../../agents/agent.js';
import { AppError, type ErrorCode } from '../../errors.js';
import type { Principal } from '../../principal.js';
import { selectBranch } from '../../runs/branches.js';
import { hasEnded, type Run } from '../../runs/run.js';
import { RunFeed } from '../../runs/run.feed.js';
import { RunService, type StartRunRequest } from '../../runs/run.service.js';
import { ThreadService } from '../../runs/thread.service.js';
import { readGivenMessage } from '../../streams/given-message.js';
import type { TranscriptEntry } from '../transcript/transcript-entries.js';
import { currentRun, ThreadTranscripts } from '../transcript/thread-transcripts.js';
import { findPlace, getAssistantId, getQuestionId, toNote, type PlaceInThread } from './langgraph-input.js';
import { LangGraphPlaces } from './langgraph-places.js';
import type { RunRequest } from './run-stream-input.js';
import { toUpdate, type StateUpdate } from './state-update-input.js';

/** Changes of a thread's state from outside: each is a run of its own, which asks no model. */
@Injectable()
export class LangGraphStateUpdates {
  constructor(
    private readonly runs: RunService,
    private readonly threads: ThreadService,
    private readonly transcripts: ThreadTranscripts,
    private readonly feed: RunFeed,
    private readonly places: LangGraphPlaces,
  ) {}

  /**
   * Starts a run that changes the state.
   *
   * @throws AppError REQUEST_INVALID, NOT_FOUND, THREAD_BUSY, and what {@link RunService.start} refuses
   */
  async start(principal: Principal, threadId: string, update: StateUpdate): Promise<Run> {
    const { parentRunId, replaces, fromCheckpoint } = await this.places.resolve(
      principal,
      findPlace({ ...update, input: null }),
      { threadId },
    );
    if (replaces !== undefined)
      throw new AppError(
        'REQUEST_INVALID',
        'checkpoint: The state of a question cannot be changed. Name the state before it, or the one after it.',
      );
    return this.startChange(
      principal,
      threadId,
      { updates: [toUpdate(update)] },
      { parentRunId, fromCheckpoint },
    );
  }

  /** Stores states in a thread that has no run yet, one after the other. Each costs a start. @throws AppError as {@link LangGraphStateUpdates.start}, and of the agent */
  async fill(
    principal: Principal,
    threadId: string,
    supersteps: readonly Pick<GivenStateChange, 'updates'>[],
  ): Promise<void> {
    for (const superstep of supersteps) {
      const run = await this.startChange(principal, threadId, superstep);
      await lastValueFrom(this.feed.follow({ runId: run.id, afterSeq: 0 }), { defaultValue: undefined });
      await this.confirm(run);
    }
  }

  /** Returns the run that has changed the state. @throws AppError with the reason why it has not */
  async confirm({ principal, id }: Run): Promise<Run> {
    const run = await this.runs.get(principal, id);
    const { status, error } = run;
    if (status === 'completed' || status === 'awaiting-input') return run;
    if (status === 'failed' && error) throw new AppError(error.code as ErrorCode, error.message);
    throw new AppError(
      'RUN_FAILED',
      hasEnded(run) ? 'The change was cancelled.' : 'The change has not been made yet. Read the state later.',
    );
  }

  /** Returns the fields of a start that goes on with the graph, after the change of its command if there is one. With the end as its goal it only changes the state. */
  async toStart(
    principal: Principal,
    { threadId, parentRunId, fromCheckpoint }: Pick<StartRunRequest, 'threadId'> & PlaceInThread,
    { update, goto }: Pick<NonNullable<RunRequest['command']>, 'update' | 'goto'>,
  ): Promise<ChangeStart> {
    const isEnd = goto?.length === 1 && goto[0] === END;
    const updates = [...(update ? [{ values: update }] : []), ...(isEnd ? [NOTHING_NEXT] : [])];
    const known =
      threadId && (await this.describeKnown(principal, threadId, { updates, parentRunId, fromCheckpoint }));
    const goesOn = isEnd ? {} : { continues: true, ...(goto && { goto }) };
    return toChangeStart({ updates, ...goesOn, ...(known && { known }) });
  }

  /** Describes the messages of the thread that these values name, for its agent to find them. */
  private async describeKnown(
    principal: Principal,
    threadId: string,
    { updates, parentRunId, fromCheckpoint }: Pick<GivenStateChange, 'updates'> & PlaceInThread,
  ): Promise<GivenStateChange['known']> {
    const ids = new Set(updates.flatMap(({ values }) => listMessageIds(values)));
    if (ids.size === 0) return undefined;
    const all = await unlessUnknown(this.transcripts.listRuns(principal, threadId));
    const leaf = parentRunId === undefined ? currentRun(all)?.id : parentRunId;
    const runs = typeof leaf === 'string' ? selectBranch(all, leaf) : [];
    const next = { given: { ...(fromCheckpoint !== undefined && { fromCheckpoint }) } };
    const { entries } = await this.transcripts.read(runs, getQuestionId, { next });
    const questions = new Map(runs.map((run) => [getQuestionId(run), `${run.messageId}-user`]));
    const named = entries.filter(({ id }) => ids.has(id));
    return Object.fromEntries(named.map((entry) => [entry.id, toKnown(entry, { questions, entries })]));
  }

  private async startChange(
    principal: Principal,
    threadId: string,
    change: Pick<GivenStateChange, 'updates'>,
    { parentRunId, fromCheckpoint }: PlaceInThread = {},
  ): Promise<Run> {
    const thread = await this.threads.get(principal, threadId);
    const all = await this.transcripts.listRuns(principal, threadId);
    // A change of what was before the thread's first run is for its agent.
    const base = typeof parentRunId === 'string' ? all.find(({ id }) => id === parentRunId) : currentRun(all);
    const agent = base?.agent ?? thread.metadata?.['graph_id'];
    if (typeof agent !== 'string')
      throw new AppError(
        'REQUEST_INVALID',
        'The thread has no agent yet. Start a run in it, or create it with a graph id.',
      );
    const known = await this.describeKnown(principal, threadId, { ...change, parentRunId, fromCheckpoint });
    const { configurable, context } = base?.given ?? {};
    const assistantId = base && getAssistantId(base);
    return this.runs.start({
      principal,
      threadId,
      agent,
      ...toChangeStart({ ...change, ...(known && { known }) }),
      ...(configurable && { configurable }),
      ...(context && { context }),
      ...(parentRunId !== undefined && { parentRunId }),
      ...(fromCheckpoint !== undefined && { fromCheckpoint }),
      metadata: toNote(assistantId === agent ? {} : { assistantId }),
      whenBusy: 'reject',
    });
  }
}

/** LangGraph's name for the end of a graph. */
const END = '__end__';

/** LangGraph's update after which no node is next. */
const NOTHING_NEXT = { values: null, asNode: END };

/** The fields of a start that changes the state. */
type ChangeStart = Pick<StartRunRequest, 'message' | 'isWithoutMessage' | 'stateChange' | 'historyBytes'>;

function toChangeStart(stateChange: GivenStateChange): ChangeStart & { readonly message: string } {
  const { values } = stateChange.updates[0] ?? {};
  // A text for lists. The message itself is in the change.
  const text = values ? readGivenMessage(values).message.toWellFormed().replaceAll('\0', '').trim() : '';
  const message = text || '…';
  const { known } = stateChange;
  // What the thread has is not what the client sends.
  const historyBytes = known ? Buffer.byteLength(JSON.stringify(known)) : 0;
  return { message, isWithoutMessage: true, stateChange, historyBytes };
}

async function unlessUnknown(runs: Promise<Run[]>): Promise<Run[]> {
  try {
    return await runs;
  } catch (error) {
    if (error instanceof AppError && error.code === 'NOT_FOUND') return [];
    throw error;
  }
}

function listMessageIds(values: Readonly<Record<string, unknown>> | null): string[] {
  const messages: unknown = values?.['messages'];
  return (Array.isArray(messages) ? messages : [messages]).flatMap((message: unknown) => {
    const { id } = (message ?? {}) as { readonly id?: unknown };
    return typeof id === 'string' ? [id] : [];
  });
}

function toKnown(
  entry: TranscriptEntry,
  {
    questions,
    entries,
  }: {
    readonly questions: ReadonlyMap<string | undefined, string>;
    readonly entries: readonly TranscriptEntry[];
  },
): KnownMessage {
  switch (entry.kind) {
    case 'user':
      return { kind: 'user', id: questions.get(entry.id) ?? entry.id };
    case 'result':
      return { kind: 'result', toolCallId: entry.toolCallId, ...findPlaceAmong(entry, entries) };
    case 'assistant':
      return {
        kind: 'assistant',
        text: entry.text ?? '',
        toolCallIds: entry.calls.map(({ toolCallId }) => toolCallId),
        ...findPlaceAmong(entry, entries),
      };
    case 'reasoning':
      throw new AppError('REQUEST_INVALID', 'values.messages: Reasoning cannot be changed.');
    default:
      return entry satisfies never;
  }
}

function findPlaceAmong(entry: TranscriptEntry, entries: readonly TranscriptEntry[]): KnownPlace {
  const alike = entries.filter((other) => looksSame(other, entry));
  return { alike: alike.length, alikeAfter: alike.length - 1 - alike.indexOf(entry) };
}

/** True for entries that an agent could not tell apart by what it is told of them. */
function looksSame(other: TranscriptEntry, entry: TranscriptEntry): boolean {
  if (entry.kind === 'result') return other.kind === 'result' && other.toolCallId === entry.toolCallId;
  if (entry.kind !== 'assistant' || other.kind !== 'assistant') return false;
  const ids = new Set(entry.calls.map(({ toolCallId }) => toolCallId));
  if (ids.size > 0) return other.calls.some(({ toolCallId }) => ids.has(toolCallId));
  return (other.text ?? '').trim() === (entry.text ?? '').trim();
}

import { Injectable } from '@nestjs/common';
import type { RecordedEvent } from '../../events/recorded-event.js';
import type { Principal } from '../../principal.js';
import { EventLog } from '../../runs/event-log.js';
import { hasEnded, type Run } from '../../runs/run.js';
import { RunStore } from '../../runs/run.store.js';
import { ThreadService } from '../../runs/thread.service.js';
import { foldLog } from '../../runs/read-log.js';
import { Transcript } from './transcript.js';

/** Reads threads for protocols whose clients show whole conversations. */
@Injectable()
export class ThreadTranscripts {
  constructor(
    private readonly threads: ThreadService,
    private readonly runs: RunStore,
    private readonly log: EventLog,
  ) {}

  /**
   * All runs of the thread, the oldest first. Of a long thread, the oldest come without their messages, which no transcript shows.
   *
   * @param known what a reading before has given: as long as they are there, they come back as they were, and only what came
   *   after them is read
   * @throws AppError NOT_FOUND
   */
  async listRuns(principal: Principal, threadId: string, known: readonly Run[] = []): Promise<Run[]> {
    await this.threads.get(principal, threadId);
    const newest = known.at(-1)?.id;
    const newer: Run[] = [];
    let bytes = 0;
    let cursor: string | undefined;
    do {
      const page = await this.runs.listRuns(principal, threadId, {
        limit: newest ? 10 : 100,
        ...(cursor && { cursor }),
      });
      for (const run of page.items) {
        if (run.id === newest) return [...known, ...newer.toReversed()];
        bytes += run.message.length;
        newer.push(bytes > TRANSCRIPT_BYTES && newer.length > 0 ? withoutText(run) : run);
      }
      cursor = page.nextCursor;
    } while (cursor);
    return newer.toReversed();
  }

  /**
   * Questions and answers of these runs, as their logs have them now: of the newest, as far as a transcript has room.
   *
   * @param questionId what the client calls the message that the run answers; undefined if it answers none
   * @param next the run that goes on, perhaps from a state in the middle of the last of these
   * @param hear called with each event and its run
   */
  async read(
    runs: readonly Run[],
    questionId: (run: Run) => string | undefined,
    {
      next,
      hear,
    }: {
      readonly next?: Pick<Run, 'given'>;
      readonly hear?: (recorded: RecordedEvent, run: Run) => void;
    } = {},
  ): Promise<Transcript> {
    let transcript = new Transcript();
    const newest = selectNewest(runs);
    for (const [index, run] of newest.entries()) {
      transcript.ask(questionId(run), run);
      transcript = await this.readAnswer(run, transcript, {
        until: (newest[index + 1] ?? next)?.given?.fromCheckpoint,
        ...(hear && { hear: (recorded) => hear(recorded, run) }),
      });
    }
    return transcript;
  }

  /** Returns the transcript with what the run's log has now. The oldest questions make room for it, with their answers. */
  async readAnswer(
    { id, copyOf }: Pick<Run, 'id' | 'copyOf'>,
    transcript: Transcript,
    { until, begin, hear }: AnswerReading = {},
  ): Promise<Transcript> {
    let isOver = false;
    let fork: Transcript | undefined;
    const answered = await foldLog(this.log, id, {
      begin: () => {
        isOver = false;
        fork = undefined;
        begin?.();
        return transcript.fork();
      },
      apply: (fold, read) => {
        if (isOver) return fold;
        // The messages of a copied thread are called as they were.
        const recorded = copyOf === undefined ? read : { ...read, runId: copyOf };
        fold.apply(recorded);
        hear?.(recorded, fold);
        const { event } = recorded;
        if (event.type === 'checkpoint' && event.checkpointId === until) {
          fork ??= fold.fork();
          fork.state = fold.state;
        } else if (event.type === 'checkpoint') isOver = fork !== undefined;
        // What is held back until the end is said after the last state, which has it.
        else if (event.type === 'end' && event.outcome === 'completed') fork = undefined;
        return fold;
      },
    });
    const read = fork ?? answered;
    read?.trim(TRANSCRIPT_BYTES);
    return read ?? transcript;
  }
}

/** Options for reading an answer. */
export interface AnswerReading {
  /** The id of the state after which the rest is left out. */
  readonly until?: string | undefined;
  /** Called before the first event, and again if the reading starts again. */
  readonly begin?: () => void;
  /** Called with each event, once the transcript has it. */
  readonly hear?: (recorded: RecordedEvent, transcript: Transcript) => void;
}

/** Roughly the bytes of a conversation that is shown whole; more only when the last answer is larger. Older ones are left out. */
export const TRANSCRIPT_BYTES = 2 * 1024 * 1024;

/** The runs of a conversation that is shown whole, at most. */
const NEWEST_RUNS = 500;

/** The last of these runs, as many as a transcript may have room for. At least one. */
export function selectNewest(runs: readonly Run[]): readonly Run[] {
  let bytes = 0;
  const last = runs.findLastIndex(({ message }, index) => {
    bytes += message.length;
    return index < runs.length - 1 && (bytes > TRANSCRIPT_BYTES || runs.length - index > NEWEST_RUNS);
  });
  return runs.slice(last + 1);
}

function withoutText(run: Run): Run {
  return { ...run, message: '', inputs: [] };
}

/** Returns the run that this thread's viewers watch: the one that goes on, or the last one. */
export function currentRun(runs: readonly Run[]): Run | undefined {
  return runs.find((run) => !hasEnded(run)) ?? runs.at(-1);
}

import type { RecordedEvent } from '../events/recorded-event.js';
import type { FinishReason, RunEvent, Usage } from '../events/run-event.js';
import { addUsage } from '../events/usage.js';
import type { Continuation } from './continuation.js';
import type { EventLog } from './event-log.js';
import { NOTHING_OPEN, trackOpen, type OpenItems } from './open-items.js';
import type { Run } from './run.js';
import type { RunInbox } from './run-inbox.js';
import { NOTHING_SPENT, spend } from './run-limits.js';
import type { RunSources } from './run-sources.js';
import { SpokenText } from './spoken-text.js';

const NO_USAGE: Usage = { inputTokens: 0, outputTokens: 0, totalTokens: 0 };

/** State of a run at the moment when its owner takes it up, as its log tells it. */
interface RecalledState {
  readonly open: OpenItems;
  /** Time of the first event, in milliseconds since 1970. Undefined for a run without any. */
  readonly begunAt: number | undefined;
}

/** The facts that an owner keeps of its run while it works on it: a fold of the events of earlier owners and of its own. */
export class RunProgress {
  spent = NOTHING_SPENT;
  usage = NO_USAGE;
  finishReason: FinishReason | undefined;
  /** Number of this owner of the run, as its log counts them. */
  attempt = 1;
  /** True once the agent has replaced text for good: the old text must not be kept. */
  hasReplaced = false;
  lastStep: string | undefined;
  decisions: Continuation['decisions'] = new Map();
  answered: Continuation['answered'] = [];
  /** Calls that have begun: tool call id to step id. */
  readonly begunCalls = new Map<string, string>();
  /** Calls of earlier runs that may be asked for again. */
  begunBefore: Continuation['begunBefore'] = new Set();
  /** Text of the answer. */
  readonly spoken = new SpokenText();
  /** Steps that earlier owners have completed. */
  readonly completedSteps = new Set<string>();

  constructor(
    private readonly sources: RunSources,
    private readonly inbox: Pick<RunInbox, 'note'>,
  ) {}

  /** Takes over the facts of the runs that this one continues. */
  continueFrom({ decisions, answered, begunCalls, begunBefore, completedSteps }: Continuation): void {
    this.decisions = decisions;
    this.answered = answered;
    this.begunBefore = begunBefore;
    for (const [toolCallId, stepId] of begunCalls) this.begunCalls.set(toolCallId, stepId);
    for (const stepId of completedSteps) this.completedSteps.add(stepId);
  }

  /** Takes over the facts of the run's earlier owners. */
  async recall(run: Run, log: EventLog): Promise<RecalledState> {
    let open = NOTHING_OPEN;
    let begunAt: number | undefined;
    if (run.lastSeq > 0) this.attempt += 1;
    for await (const { event, at } of readHistory(run, log)) {
      begunAt ??= at;
      open = trackOpen(open, event, at);
      this.note(event);
      if (event.type === 'run-resume') this.attempt += 1;
      if (event.type === 'step-end') this.completedSteps.add(event.stepId);
      if (event.type === 'step-reset') this.completedSteps.delete(event.stepId);
    }
    return { open, begunAt };
  }

  /** Counts an event of the run. Called for each token: allocates only the new sums, and the text. */
  note(event: RunEvent): void {
    this.spent = spend(this.spent, event);
    this.spoken.note(event);
    this.inbox.note(event);
    if (event.type === 'step-reset' && event.reason === 'replaced') this.hasReplaced = true;
    if (event.type === 'step-start') this.lastStep = event.name;
    if (event.type === 'usage') {
      this.usage = addUsage(this.usage, event);
      if (!event.failed) this.finishReason = event.finishReason;
    }
    if (event.type === 'tool-start') this.begunCalls.set(event.toolCallId, event.stepId);
    // It has stopped to ask, and is made again.
    if (event.type === 'tool-end' && event.outcome === 'awaiting-input')
      this.begunCalls.delete(event.toolCallId);
    if (event.type === 'tool-start' || event.type === 'tool-end' || event.type === 'message-put')
      this.sources.note(event);
  }
}

/** Yields the events that the run's log held when its owner took it up. */
export async function* readHistory({ id, lastSeq }: Run, log: EventLog): AsyncGenerator<RecordedEvent> {
  for (let seq = 0; seq < lastSeq;) {
    const page = await log.read(id, seq, 1_000);
    if (page.length === 0) return;
    yield* page;
    seq = page.at(-1)?.seq ?? seq;
  }
}

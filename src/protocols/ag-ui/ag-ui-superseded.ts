import type { AssistantEntry, Origin, TranscriptEntry } from '../transcript/transcript-entries.js';
import type { AgUiMessage, OfSubagent } from './ag-ui-events.js';
import { toLostMessages } from './ag-ui-messages.js';

interface Superseding extends Origin {
  /** The step is one of an agent inside the run's own. */
  readonly isInner: boolean;
  readonly dialect: '1.0' | '0';
  readonly attribute: (entry: TranscriptEntry) => OfSubagent;
}

/** What was said in steps that are done over, as far as a client goes on with it. */
export class AgUiSuperseded {
  /** Reasoning, files and sources. A client keeps them although a snapshot omits them, so it has to be told that they are empty. */
  readonly messages: AgUiMessage[] = [];
  /** Of messages and calls of agents inside. A client takes another agent's call under such an id in a snapshot only. */
  private readonly ids = new Set<string>();

  /** A run that goes on after an answer does its own part of a step over: what the run before said in it stays. */
  add(entries: readonly TranscriptEntry[], { runId, stepId, isInner, ...how }: Superseding): void {
    const isIts = (made: object) =>
      'stepId' in made && made.stepId === stepId && 'runId' in made && made.runId === runId;
    for (const entry of entries) {
      if (isIts(entry)) this.messages.push(...toLostMessages(entry, how.attribute(entry), how.dialect));
      if (!isInner) continue;
      if (isIts(entry)) this.ids.add(entry.id);
      const calls = entry.kind === 'assistant' ? entry.calls.filter(isIts) : [];
      for (const { toolCallId } of calls) this.ids.add(toolCallId);
    }
  }

  /** True for a call that was made before, or whose message was begun before. */
  has(toolCallId: string, caller: AssistantEntry | undefined): boolean {
    return this.ids.has(toolCallId) || (caller !== undefined && this.ids.has(caller.id));
  }
}

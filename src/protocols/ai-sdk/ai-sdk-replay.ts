import type { RequestedInput } from '../../events/requested-input.js';
import type { RecordedEvent } from '../../events/recorded-event.js';
import { toAddressElsewhere, type ToAddress } from '../../events/file-address.js';
import type { EarlierRun } from '../message-runs.js';
import type { ProtocolMapper } from '../protocol.mapper.js';
import type { AiSdkChunk } from './ai-sdk-chunks.js';
import { createAiSdkMapper } from './ai-sdk.mapper.js';

/**
 * The events of a log that a later event has superseded, as this protocol's clients see it: a `step-reset` supersedes everything
 * since the client's step began. Found by reading the log once before it is shown, so that no step has to be held back until its
 * end.
 */
export class SupersededOutput {
  /** Without the events at both ends. */
  private readonly spans: { readonly from: number; readonly to: number }[] = [];
  private readonly openSteps = new Set<string>();
  private began: number | undefined;

  /** @param tail the run's last seq at the moment; what is taken back later is shown, and then taken back */
  constructor(readonly tail: number) {}

  map({ seq, event }: RecordedEvent): void {
    if (seq > this.tail) return;
    switch (event.type) {
      case 'step-start':
        this.openSteps.add(event.stepId);
        this.began ??= seq;
        return;
      case 'step-end':
        this.openSteps.delete(event.stepId);
        if (this.openSteps.size === 0) this.began = undefined;
        return;
      case 'step-reset':
        this.openSteps.delete(event.stepId);
        if (this.began !== undefined) this.spans.push({ from: this.began, to: seq });
        return;
      default:
    }
  }

  has(seq: number): boolean {
    return this.spans.some(({ from, to }) => from < seq && seq < to);
  }
}

/**
 * For a reader that comes late: what was taken back up to the tail is left out, and nothing else differs from the first pass.
 *
 * Versions 5 and 6 refuse `reset-step`, so their stream breaks there. This is how they get past it when they resume.
 */
export function dropSuperseded(
  mapper: ProtocolMapper<AiSdkChunk>,
  takenBack: SupersededOutput,
): ProtocolMapper<AiSdkChunk> {
  return (recorded) => {
    const chunks = mapper(recorded);
    if (recorded.seq > takenBack.tail) return chunks;
    return takenBack.has(recorded.seq) ? [] : chunks.filter(({ type }) => type !== 'reset-step');
  };
}

/**
 * For a reader that has nothing of the message yet: what the runs before this one have said of it stands behind this one's `start`,
 * without their own starts and ends.
 */
export function withEarlierRuns(
  mapper: ProtocolMapper<AiSdkChunk>,
  earlier: readonly EarlierRun[],
  toAddress: ToAddress = toAddressElsewhere,
): ProtocolMapper<AiSdkChunk> {
  return (recorded) => {
    const chunks = mapper(recorded);
    return recorded.event.type === 'run-start' ? [...chunks, ...replayRuns(earlier, toAddress)] : chunks;
  };
}

function replayRuns(runs: readonly EarlierRun[], toAddress: ToAddress): AiSdkChunk[] {
  let approvals: readonly RequestedInput[] = [];
  const chunks: AiSdkChunk[] = [];
  for (const { run, log } of runs) {
    const takenBack = new SupersededOutput(Infinity);
    for (const recorded of log) takenBack.map(recorded);
    const mapper = dropSuperseded(createAiSdkMapper(approvals, toAddress), takenBack);
    chunks.push(...log.flatMap(mapper).filter((chunk) => !isFrameFromRun(chunk)));
    approvals = run.inputs ?? [];
  }
  return chunks;
}

/** For a client whose answer was noted while others are missing: it has all of the run, and hears where it begins and ends. */
export function withoutContent(mapper: ProtocolMapper<AiSdkChunk>): ProtocolMapper<AiSdkChunk> {
  return (recorded) => mapper(recorded).filter(isFrameFromRun);
}

function isFrameFromRun({ type }: AiSdkChunk): boolean {
  return type === 'start' || type === 'finish';
}

import type { Approval } from '../../events/approval.js';
import type { EarlierRun } from '../message.runs.js';
import type { ProtocolMapper } from '../protocol.mapper.js';
import type { AiSdkChunk } from './ai-sdk.chunks.js';
import { createAiSdkMapper } from './ai-sdk.mapper.js';

/**
 * For a reader that comes late: what was taken back up to `tail` is left out, and nothing else differs from the first pass.
 *
 * Versions 5 and 6 refuse `reset-step`, so their stream breaks there. This is how they get past it when they resume.
 *
 * @param tail the run's last seq at the moment
 */
export function withoutTakenBack(
  mapper: ProtocolMapper<AiSdkChunk>,
  tail: number,
): ProtocolMapper<AiSdkChunk> {
  let held: AiSdkChunk[] = [];
  return (recorded) => {
    const chunks = mapper(recorded);
    if (recorded.seq > tail) return chunks;
    for (const chunk of chunks) {
      if (chunk.type === 'reset-step') held = held.slice(0, beginningOfStep(held));
      else held.push(chunk);
    }
    // A step that is over cannot be taken back.
    if (recorded.seq < tail && held.at(-1)?.type !== 'finish-step') return [];
    const settled = held;
    held = [];
    return settled;
  };
}

function beginningOfStep(chunks: readonly AiSdkChunk[]): number {
  return chunks.findLastIndex(({ type }) => type === 'start-step') + 1;
}

/**
 * For a reader that has nothing of the message yet: what the runs before this one have said of it stands behind this one's `start`,
 * without their own starts and ends.
 */
export function withEarlierRuns(
  mapper: ProtocolMapper<AiSdkChunk>,
  earlier: readonly EarlierRun[],
): ProtocolMapper<AiSdkChunk> {
  return (recorded) => {
    const chunks = mapper(recorded);
    return recorded.event.type === 'run-start' ? [...chunks, ...chunksOfRuns(earlier)] : chunks;
  };
}

function chunksOfRuns(runs: readonly EarlierRun[]): AiSdkChunk[] {
  let asked: readonly Approval[] = [];
  const chunks: AiSdkChunk[] = [];
  for (const { run, log } of runs) {
    const mapper = withoutTakenBack(createAiSdkMapper(asked), log.at(-1)?.seq ?? 0);
    chunks.push(...log.flatMap(mapper).filter((chunk) => !isFrameOfRun(chunk)));
    asked = run.approvals ?? [];
  }
  return chunks;
}

/** For a client whose answer was noted while others are missing: it has all of the run, and hears where it begins and ends. */
export function withoutContent(mapper: ProtocolMapper<AiSdkChunk>): ProtocolMapper<AiSdkChunk> {
  return (recorded) => mapper(recorded).filter(isFrameOfRun);
}

function isFrameOfRun({ type }: AiSdkChunk): boolean {
  return type === 'start' || type === 'finish';
}

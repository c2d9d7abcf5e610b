import type { ProtocolMapper } from '../protocol.mapper.js';
import type { AiSdkChunk } from './ai-sdk.chunks.js';

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

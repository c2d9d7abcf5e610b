import { describe, expect, it } from '@jest/globals';
import * as v7 from 'ai';
import * as v6 from 'ai-v6';
import * as fc from 'fast-check';
import { foldRun } from '../../events/run-view.js';
import { runLogs } from '../../testing/log.arbitrary.js';
import { createAiSdkMapper } from './ai-sdk.mapper.js';
import { withoutTakenBack } from './ai-sdk.replay.js';
import { expectedParts, partsOf, readMessage } from './ai-sdk.testing.js';

const SDKS = [
  ['7', v7],
  ['6', v6 as unknown as typeof v7],
] as const;

describe('a replay of a run as an AI SDK stream', () => {
  it.each(SDKS)('shows version %s the same message as every other viewer', async (_version, sdk) => {
    await fc.assert(
      fc.asyncProperty(runLogs(), async (log) => {
        const chunks = log.flatMap(withoutTakenBack(createAiSdkMapper(), log.length));
        const { message } = await readMessage(chunks, sdk);
        expect(partsOf(message)).toEqual(expectedParts(foldRun('run', log)));
      }),
    );
  });

  it('goes on after its tail as the first pass does, wherever that is', async () => {
    await fc.assert(
      fc.asyncProperty(runLogs(), fc.nat(), async (log, cut) => {
        const tail = cut % log.length;
        const replay = withoutTakenBack(createAiSdkMapper(), tail);
        const history = log.slice(0, tail).flatMap(replay);
        const live = log.slice(tail).flatMap(replay);
        const firstPass = createAiSdkMapper();
        const before = log.slice(0, tail).flatMap(firstPass);
        expect(live).toEqual(log.slice(tail).flatMap(firstPass));
        expect(history.some(({ type }) => type === 'reset-step')).toBe(false);
        if (!before.some(({ type }) => type === 'reset-step')) expect(history).toEqual(before);
        const { message } = await readMessage([...history, ...live]);
        expect(partsOf(message)).toEqual(expectedParts(foldRun('run', log)));
      }),
    );
  });
});

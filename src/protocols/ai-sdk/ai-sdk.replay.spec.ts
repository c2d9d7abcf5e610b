import { describe, expect, it } from '@jest/globals';
import * as v7 from 'ai';
import * as v6 from 'ai-v6';
import * as fc from 'fast-check';
import { foldRun } from '../../events/run-view.js';
import type { Run } from '../../runs/run.js';
import { continuedRuns, runLogs, type ContinuedRun } from '../../testing/log.arbitrary.js';
import type { AiSdkChunk } from './ai-sdk.chunks.js';
import { createAiSdkMapper } from './ai-sdk.mapper.js';
import { withEarlierRuns, withoutContent, withoutTakenBack } from './ai-sdk.replay.js';
import { expectedParts, expectedTogether, partsOf, readMessage } from './ai-sdk.testing.js';

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

describe('a run that goes on after approvals', () => {
  const together = ({ before, approvals, log }: ContinuedRun) =>
    expectedTogether(foldRun('run', before), approvals, foldRun('next', log));

  const replayOf = ({ before, approvals, log }: ContinuedRun): AiSdkChunk[] => {
    const earlier = [{ run: { id: 'run', approvals } as unknown as Run, log: before }];
    const mapper = withEarlierRuns(createAiSdkMapper(approvals), earlier);
    return log.flatMap(withoutTakenBack(mapper, log.length));
  };

  it('writes on in the message of the run that asked', async () => {
    await fc.assert(
      fc.asyncProperty(continuedRuns(), async (runs) => {
        const { message: asked } = await readMessage(runs.before.flatMap(createAiSdkMapper()));
        const chunks = runs.log.flatMap(createAiSdkMapper(runs.approvals));
        const { message } = await readMessage(chunks, v7, asked);
        expect(partsOf(message)).toEqual(together(runs));
        expect(message?.id).toBe(asked?.id);
      }),
    );
  });

  it.each(SDKS)('is told version %s, when it has nothing, with all that was said before', async (_, sdk) => {
    await fc.assert(
      fc.asyncProperty(continuedRuns(), async (runs) => {
        const chunks = replayOf(runs);
        expect(chunks.filter(({ type }) => type === 'start')).toHaveLength(1);
        const { message } = await readMessage(chunks, sdk);
        expect(partsOf(message)).toEqual(together(runs));
      }),
    );
  });

  it('leaves no call in a state in which a client would send its answer again', async () => {
    await fc.assert(
      fc.asyncProperty(continuedRuns(), async (runs) => {
        const { message: asked } = await readMessage(runs.before.flatMap(createAiSdkMapper()));
        for (const part of asked!.parts) {
          if (part.type !== 'dynamic-tool' || part.state !== 'approval-requested') continue;
          Object.assign(part, {
            state: 'approval-responded',
            approval: { id: part.approval.id, approved: true },
          });
        }
        const messages = [asked!];
        expect(v7.lastAssistantMessageIsCompleteWithApprovalResponses({ messages })).toBe(true);
        const { message } = await readMessage(runs.log.flatMap(createAiSdkMapper(runs.approvals)), v7, asked);
        const left = message!.parts.filter(
          (part) => part.type === 'dynamic-tool' && part.state === 'approval-responded',
        );
        expect(left).toEqual([]);
      }),
    );
  });

  it('says nothing but its beginning and end to who waits for other answers', () => {
    fc.assert(
      fc.property(continuedRuns(), ({ before }) => {
        const said = before.flatMap(withoutContent(createAiSdkMapper()));
        expect(said.map(({ type }) => type)).toEqual(['start', 'finish']);
      }),
    );
  });
});

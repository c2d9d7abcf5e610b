import { describe, expect, it } from '@jest/globals';
import * as v7 from 'ai';
import * as v6 from 'ai-v6';
import * as fc from 'fast-check';
import type { RecordedEvent } from '../../events/recorded-event.js';
import { foldRun } from '../../events/run-view.js';
import type { Run } from '../../runs/run.js';
import { continuedRuns, runLogs, type ContinuedRun } from '../../../test/harness/log-arbitrary.js';
import type { AiSdkChunk } from './ai-sdk-chunks.js';
import { createAiSdkMapper } from './ai-sdk.mapper.js';
import { SupersededOutput, withEarlierRuns, withoutContent, dropSuperseded } from './ai-sdk-replay.js';
import { expectedParts, expectedTogether, listParts, readMessage, readState } from './ai-sdk.testing.js';

const SDKS = [
  ['7', v7],
  ['6', v6 as unknown as typeof v7],
] as const;

function takenBackIn(log: readonly RecordedEvent[], tail = log.length): SupersededOutput {
  const takenBack = new SupersededOutput(tail);
  for (const recorded of log) takenBack.map(recorded);
  return takenBack;
}

describe('a replay of a run to the AI SDK', () => {
  it.each(SDKS)('builds in version %s the same message as other viewers see', async (_version, sdk) => {
    await fc.assert(
      fc.asyncProperty(runLogs(), async (log) => {
        const chunks = log.flatMap(dropSuperseded(createAiSdkMapper(), takenBackIn(log)));
        const { message } = await readMessage(chunks, sdk);
        expect(listParts(message)).toEqual(expectedParts(foldRun('run', log)));
        expect(readState(message)).toEqual(foldRun('run', log).state);
      }),
    );
  });

  it('continues a replay after its tail like the first pass, wherever the tail is', async () => {
    await fc.assert(
      fc.asyncProperty(runLogs(), fc.nat(), async (log, cut) => {
        const tail = cut % log.length;
        const replay = dropSuperseded(createAiSdkMapper(), takenBackIn(log, tail));
        const history = log.slice(0, tail).flatMap(replay);
        const live = log.slice(tail).flatMap(replay);
        const firstPass = createAiSdkMapper();
        const before = log.slice(0, tail).flatMap(firstPass);
        expect(live).toEqual(log.slice(tail).flatMap(firstPass));
        expect(history.some(({ type }) => type === 'reset-step')).toBe(false);
        if (!before.some(({ type }) => type === 'reset-step')) expect(history).toEqual(before);
        const { message } = await readMessage([...history, ...live]);
        expect(listParts(message)).toEqual(expectedParts(foldRun('run', log)));
      }),
    );
  });
});

describe('a continued run as an AI SDK stream', () => {
  const together = ({ before, inputs, log }: ContinuedRun) =>
    expectedTogether(foldRun('run', before), inputs, foldRun('next', log));

  const findPartState = ({ before, log }: ContinuedRun) =>
    foldRun('next', log).state ?? foldRun('run', before).state;

  const replay = ({ before, inputs, log }: ContinuedRun): AiSdkChunk[] => {
    const earlier = [{ run: { id: 'run', inputs } as unknown as Run, log: before }];
    const mapper = withEarlierRuns(createAiSdkMapper(inputs), earlier);
    return log.flatMap(dropSuperseded(mapper, takenBackIn(log)));
  };

  it('continues the message of the run that asked', async () => {
    await fc.assert(
      fc.asyncProperty(continuedRuns(), async (runs) => {
        const { message: asked } = await readMessage(runs.before.flatMap(createAiSdkMapper()));
        const chunks = runs.log.flatMap(createAiSdkMapper(runs.inputs));
        const { message } = await readMessage(chunks, v7, asked);
        expect(listParts(message)).toEqual(together(runs));
        expect(readState(message)).toEqual(findPartState(runs));
        expect(message?.id).toBe(asked?.id);
      }),
    );
  });

  it.each(SDKS)('builds in version %s the whole message for a client that has nothing', async (_, sdk) => {
    await fc.assert(
      fc.asyncProperty(continuedRuns(), async (runs) => {
        const chunks = replay(runs);
        expect(chunks.filter(({ type }) => type === 'start')).toHaveLength(1);
        const { message } = await readMessage(chunks, sdk);
        expect(listParts(message)).toEqual(together(runs));
        expect(readState(message)).toEqual(findPartState(runs));
      }),
    );
  });

  it('leaves no tool call in a state that makes the client send its decision again', async () => {
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
        const { message } = await readMessage(runs.log.flatMap(createAiSdkMapper(runs.inputs)), v7, asked);
        const left = message!.parts.filter(
          (part) => part.type === 'dynamic-tool' && part.state === 'approval-responded',
        );
        expect(left).toEqual([]);
      }),
    );
  });

  it('sends only start and finish to a client that waits for other decisions', () => {
    fc.assert(
      fc.property(continuedRuns(), ({ before }) => {
        const said = before.flatMap(withoutContent(createAiSdkMapper()));
        expect(said.map(({ type }) => type)).toEqual(['start', 'finish']);
      }),
    );
  });
});

import { describe, expect, it } from '@jest/globals';
import { uiMessageChunkSchema } from 'ai';
import { uiMessageChunkSchema as uiMessageChunkSchemaV6 } from 'ai-v6';
import * as fc from 'fast-check';
import type { RecordedEvent } from '../../events/recorded-event.js';
import type { RunEvent } from '../../events/run-event.js';
import { foldRun } from '../../events/run-view.js';
import { runLogs } from '../../../test/harness/log-arbitrary.js';
import type { AiSdkChunk } from './ai-sdk-chunks.js';
import { createAiSdkMapper } from './ai-sdk.mapper.js';
import { expectedParts, listParts, readMessage, readState } from './ai-sdk.testing.js';

const MESSAGE = 'message';

function toLog(...events: readonly RunEvent[]): RecordedEvent[] {
  return events.map((event, index) => ({
    runId: 'run',
    threadId: 'thread',
    seq: index + 1,
    epoch: 1,
    at: 1_000 + index,
    event,
  }));
}

function mapLog(log: readonly RecordedEvent[]): AiSdkChunk[] {
  return log.flatMap(createAiSdkMapper());
}

const validate = async (schema: typeof uiMessageChunkSchema, chunk: AiSdkChunk) =>
  (await schema().validate!(JSON.parse(JSON.stringify(chunk)))).success;

const STEP = { stepId: 's1', name: 'work', attempt: 1 } as const;
const START = { type: 'run-start', agent: 'a', messageId: MESSAGE } as const;
const text = (partId: string, stepId: string): RunEvent => ({
  type: 'text-start',
  partId,
  messageId: MESSAGE,
  stepId,
});
const end = (outcome: 'completed' | 'failed' | 'cancelled' | 'awaiting-input'): RunEvent => ({
  type: 'end',
  outcome,
  ...(outcome === 'failed' && { error: { code: 'RUN_FAILED', message: 'It broke.', retryable: false } }),
  usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3 },
  durationMs: 4,
});

describe('createAiSdkMapper', () => {
  it('builds the same message as other viewers see, for any run', async () => {
    await fc.assert(
      fc.asyncProperty(runLogs(), async (log) => {
        const { message, errors } = await readMessage(mapLog(log));
        expect(errors).toEqual(log.at(-1)?.event.type === 'end' ? findFailures(log) : []);
        expect(listParts(message)).toEqual(expectedParts(foldRun('run', log)));
        expect(readState(message)).toEqual(foldRun('run', log).state);
      }),
    );
  });

  it('builds the same message as other viewers see at every moment of a run', async () => {
    await fc.assert(
      fc.asyncProperty(runLogs({ maxMoves: 15 }), fc.nat(), async (log, cut) => {
        const soFar = log.slice(0, cut % log.length);
        const { message } = await readMessage(mapLog(soFar));
        expect(listParts(message)).toEqual(expectedParts(foldRun('run', soFar)));
        expect(readState(message)).toEqual(foldRun('run', soFar).state);
      }),
    );
  });

  it('emits only chunks that AI SDK 7 knows, and that version 6 knows except reset-step', async () => {
    await fc.assert(
      fc.asyncProperty(runLogs(), async (log) => {
        for (const chunk of mapLog(log)) {
          expect([chunk, await validate(uiMessageChunkSchema, chunk)]).toEqual([chunk, true]);
          const known = await validate(uiMessageChunkSchemaV6 as never, chunk);
          expect([chunk, known]).toEqual([chunk, chunk.type !== 'reset-step']);
        }
      }),
    );
  });

  it('names the message and the run in its first chunk', () => {
    expect(mapLog(toLog(START))).toEqual([
      {
        type: 'start',
        messageId: MESSAGE,
        messageMetadata: { runId: 'run', threadId: 'thread', agent: 'a' },
      },
    ]);
  });

  it('repeats the text of other open steps after a step is reset', () => {
    const other = { ...STEP, stepId: 's2' };
    const chunks = mapLog(
      toLog(
        START,
        { type: 'step-start', ...STEP },
        { type: 'step-start', ...other },
        text('p1', 's1'),
        { type: 'text-delta', partId: 'p1', delta: 'gone' },
        text('p2', 's2'),
        { type: 'text-delta', partId: 'p2', delta: 'kept' },
        { type: 'step-reset', stepId: 's1', attempt: 1, reason: 'retry' },
      ),
    );
    expect(chunks.slice(-3)).toEqual([
      { type: 'reset-step' },
      { type: 'text-start', id: 'p2' },
      { type: 'text-delta', id: 'p2', delta: 'kept' },
    ]);
  });

  it('shows hidden input and output of a tool as null', () => {
    const call = { toolCallId: 'c', toolName: 't', stepId: 's1', messageId: MESSAGE, label: 'Working…' };
    const chunks = mapLog(
      toLog(
        START,
        { type: 'step-start', ...STEP },
        { type: 'tool-start', ...call },
        { type: 'tool-end', toolCallId: 'c', outcome: 'ok', durationMs: 1 },
      ),
    );
    expect(chunks.slice(-2)).toEqual([
      expect.objectContaining({ type: 'tool-input-available', input: null, providerExecuted: true }),
      { type: 'tool-output-available', toolCallId: 'c', output: null },
    ]);
  });

  it.each([
    ['completed', ['finish']],
    ['cancelled', ['abort', 'finish']],
    ['awaiting-input', ['finish']],
    ['failed', ['error']],
  ] as const)('ends the stream when the run has ended as %s', (outcome, types) => {
    expect(mapLog(toLog(START, end(outcome))).map(({ type }) => type)).toEqual(['start', ...types]);
  });

  it('asks for an approval under the tool call that it is about', async () => {
    const request = {
      inputId: 'ok?',
      toolCallId: 'c',
      toolName: 'pay',
      stepId: 's1',
      label: 'Paying',
      input: { sum: 1 },
    };
    const { message } = await readMessage(
      mapLog(toLog(START, { type: 'input-request', kind: 'approval', ...request }, end('awaiting-input'))),
    );
    expect(message?.parts).toMatchObject([
      { type: 'dynamic-tool', state: 'approval-requested', approval: { id: 'ok?' }, input: { sum: 1 } },
    ]);
  });
});

function findFailures(log: readonly RecordedEvent[]): string[] {
  const last = log.at(-1)?.event;
  return last?.type === 'end' && last.error ? [last.error.message] : [];
}

import { describe, expect, it } from '@jest/globals';
import { safeValidateUIMessages, type UIMessage } from 'ai';
import * as fc from 'fast-check';
import type { RunEvent } from '../../events/run-event.js';
import { foldRun, getText, withDecisions, type RunView } from '../../events/run-view.js';
import type { ThreadMessage } from '../../runs/thread.service.js';
import { continuedRuns, runLogs } from '../../../test/harness/log-arbitrary.js';
import { createAiSdkMapper } from './ai-sdk.mapper.js';
import { toAiSdkMessages, type AiSdkMessage } from './ai-sdk-messages.js';
import { listParts, readMessage, readState } from './ai-sdk.testing.js';

/** A question and its answer, as a thread has them. */
function said(view: RunView, { id = 'answer', runId = view.runId } = {}): ThreadMessage[] {
  const common = { runId, createdAt: 0 };
  return [
    { role: 'user', id: `${id}-user`, ...common, text: 'What?' },
    { role: 'assistant', id, ...common, text: getText(view), view },
  ];
}

function foldView(runId: string, ...events: readonly RunEvent[]): RunView {
  const common = { runId, threadId: 'thread', epoch: 1, at: 0 };
  return foldRun(
    runId,
    events.map((event, index) => ({ ...common, seq: index + 1, event })),
  );
}

const START = { type: 'run-start', agent: 'a', messageId: 'answer' } as const;
const CALL = { toolCallId: 'call', toolName: 'pay', label: 'Paying…', input: { sum: 1 } };
const usage = { inputTokens: 1, outputTokens: 2, totalTokens: 3 };
const end = (outcome: 'completed' | 'awaiting-input'): RunEvent => ({
  type: 'end',
  outcome,
  usage,
  durationMs: 4,
});
/** As the AI SDK sees it, which knows more kinds of parts. */
const sdk = (message: AiSdkMessage | undefined) => message as unknown as UIMessage | undefined;

describe('toAiSdkMessages', () => {
  it('returns what the stream of any run builds, in a form that the SDK accepts', async () => {
    await fc.assert(
      fc.asyncProperty(runLogs(), async (log) => {
        const messages = toAiSdkMessages('thread', said(foldRun('run', log)));
        const { message } = await readMessage(log.flatMap(createAiSdkMapper()));
        expect(listParts(sdk(messages[1]))).toEqual(listParts(message));
        expect(readState(sdk(messages[1]))).toEqual(readState(message));
        const kept = messages.filter(({ parts }) => parts.length > 0);
        expect(await safeValidateUIMessages({ messages: kept })).toMatchObject({ success: true });
      }),
    );
  });

  it('returns what the streams of a continued run build together', async () => {
    await fc.assert(
      fc.asyncProperty(continuedRuns(), async ({ before, inputs, log }) => {
        const asked = withDecisions(foldRun('run', before), inputs);
        const messages = toAiSdkMessages('thread', [...said(asked), ...said(foldRun('next', log)).slice(1)]);
        const { message: first } = await readMessage(before.flatMap(createAiSdkMapper()));
        const { message } = await readMessage(log.flatMap(createAiSdkMapper(inputs)), undefined, first);
        // The stream has told the arguments that were asked about, and tells those of somebody else apart.
        const withoutInput = (parts: ReturnType<typeof listParts>) =>
          parts.map((part) => ({ ...part, input: undefined, title: undefined, toolName: undefined }));
        expect(withoutInput(listParts(sdk(messages[1])))).toEqual(withoutInput(listParts(message)));
        expect(readState(sdk(messages[1]))).toEqual(readState(message));
        expect(messages[1]?.parts.filter(({ type }) => type === 'data-state').length).toBeLessThan(2);
        const kept = messages.filter(({ parts }) => parts.length > 0);
        expect(await safeValidateUIMessages({ messages: kept })).toMatchObject({ success: true });
      }),
    );
  });

  it('returns question and answer with the metadata of the stream', () => {
    const view = foldView('run', START, end('completed'));
    expect(toAiSdkMessages('thread', said(view))).toEqual([
      { id: 'answer-user', role: 'user', parts: [{ type: 'text', text: 'What?', state: 'done' }] },
      {
        id: 'answer',
        role: 'assistant',
        metadata: { runId: 'run', threadId: 'thread', agent: 'a', usage, durationMs: 4 },
        parts: [],
      },
    ]);
  });

  it('leaves out the answer of a run that is still working', () => {
    expect(toAiSdkMessages('thread', said(foldView('run', START))).map(({ id }) => id)).toEqual([
      'answer-user',
    ]);
  });

  it('keeps the progress of a tool beside its call', () => {
    const call = { ...CALL, stepId: 's', messageId: 'answer' };
    const progress = { message: 'Half', fraction: 0.5 };
    const view = foldView(
      'run',
      START,
      { type: 'tool-start', ...call },
      { type: 'tool-progress', toolCallId: 'call', ...progress },
      { type: 'tool-end', toolCallId: 'call', outcome: 'timeout', durationMs: 1 },
      end('completed'),
    );
    expect(toAiSdkMessages('thread', said(view))[1]?.parts).toMatchObject([
      { type: 'dynamic-tool', state: 'output-error', errorText: 'The call ended: timeout.' },
      { type: 'data-tool-progress', id: 'call', data: { toolCallId: 'call', ...progress } },
    ]);
  });

  const askedFor = (decision?: 'approve' | 'deny') =>
    foldView(
      'run',
      START,
      { type: 'input-request', kind: 'approval', inputId: 'ok?', stepId: 's', ...CALL },
      ...(decision
        ? [{ type: 'input-answer', kind: 'approval', inputId: 'ok?', decision, by: 'ann' } as const]
        : []),
      end('awaiting-input'),
    );

  it('shows a call that waits for approval', () => {
    expect(toAiSdkMessages('thread', said(askedFor()))[1]?.parts).toMatchObject([
      { type: 'dynamic-tool', toolCallId: 'call', state: 'approval-requested', approval: { id: 'ok?' } },
    ]);
  });

  it('shows a call as not waiting once a later run has started', () => {
    const next = said(foldView('next', { ...START, messageId: 'other' }, end('completed')), { id: 'other' });
    expect(toAiSdkMessages('thread', [...said(askedFor()), ...next])[1]?.parts).toEqual([
      expect.objectContaining({ state: 'output-error', errorText: 'The call was not made.' }),
    ]);
    expect(toAiSdkMessages('thread', [...said(askedFor('deny')), ...next])[1]?.parts).toEqual([
      expect.objectContaining({ state: 'output-denied' }),
    ]);
  });

  it.each([
    ['made', 'approve', 'ok', { state: 'output-available', output: 'paid' }],
    ['denied', 'deny', 'denied', { state: 'output-denied', approval: { id: 'ok?', approved: false } }],
    ['never made', 'approve', undefined, { state: 'output-error', errorText: 'The call was not made.' }],
  ] as const)('continues the same message once a call was %s', (_what, decision, outcome, call) => {
    const goneOn = foldView(
      'next',
      { ...START, resumeOf: 'run' },
      ...(outcome
        ? ([
            { type: 'tool-start', ...CALL, stepId: 's', messageId: 'answer' },
            { type: 'tool-end', toolCallId: 'call', outcome, output: 'paid', durationMs: 1 },
          ] as const)
        : []),
      { type: 'text-start', partId: 'p', messageId: 'answer', stepId: 't' },
      { type: 'text-delta', partId: 'p', delta: 'Done.' },
      { type: 'text-end', partId: 'p' },
      end('completed'),
    );
    const messages = toAiSdkMessages('thread', [...said(askedFor(decision)), ...said(goneOn)]);
    expect(messages.map(({ id }) => id)).toEqual(['answer-user', 'answer']);
    expect(messages[1]?.parts).toMatchObject([
      { toolCallId: 'call', ...call },
      { type: 'text', text: 'Done.' },
    ]);
    expect(messages[1]?.metadata).toMatchObject({ runId: 'next' });
  });

  it('leaves out a message that another run is still continuing', () => {
    const goesOn = foldView('next', { ...START, resumeOf: 'run' });
    const messages = toAiSdkMessages('thread', [...said(askedFor('approve')), ...said(goesOn)]);
    expect(messages.map(({ id }) => id)).toEqual(['answer-user']);
  });
});

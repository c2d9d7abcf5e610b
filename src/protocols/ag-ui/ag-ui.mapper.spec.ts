import { describe, expect, it } from '@jest/globals';
import { defaultApplyEvents, verifyEvents } from '@ag-ui/client';
import type { Event } from '@ag-ui/core';
import { EventSchema } from '@ag-ui/core/schemas';
import { defaultApplyEvents as applyOld, verifyEvents as verifyOld } from 'ag-ui-client-v0';
import * as fc from 'fast-check';
import { from, lastValueFrom, toArray } from 'rxjs';
import type { RecordedEvent } from '../../events/recorded-event.js';
import type { RunEvent } from '../../events/run-event.js';
import { foldRun } from '../../events/run-view.js';
import { isInsideCall } from '../../events/subagent.js';
import { continuedRuns, runLogs } from '../../../test/harness/log-arbitrary.js';
import { Transcript } from '../transcript/transcript.js';
import type { AgUiEvent, AgUiMessage } from './ag-ui-events.js';
import { AgUiMapper } from './ag-ui.mapper.js';
import type { AgUiRun } from './ag-ui-run.js';
import { toAgUiMessages } from './ag-ui-messages.js';

const QUESTION: AgUiMessage = { id: 'q', role: 'user', content: 'What is it?' };
const RUN: AgUiRun = { threadId: 'thread-1', runId: 'client-run', history: [QUESTION], dialect: '1.0' };

describe('AgUiMapper', () => {
  it('maps a run with a tool to AG-UI events', () => {
    expect(mapped(TOOL_RUN)).toEqual([
      { type: 'RUN_STARTED', threadId: 'thread-1', runId: 'client-run' },
      { type: 'STEP_STARTED', stepName: 'model' },
      { type: 'TEXT_MESSAGE_START', messageId: 'run-1-p1', role: 'assistant' },
      { type: 'TEXT_MESSAGE_CONTENT', messageId: 'run-1-p1', delta: 'Let me look.' },
      { type: 'TEXT_MESSAGE_END', messageId: 'run-1-p1' },
      { type: 'STEP_FINISHED', stepName: 'model' },
      { type: 'STEP_STARTED', stepName: 'tools' },
      {
        type: 'TOOL_CALL_START',
        toolCallId: 'call-1',
        toolCallName: 'search',
        parentMessageId: 'run-1-p1',
      },
      { type: 'TOOL_CALL_ARGS', toolCallId: 'call-1', delta: '{"query":"x"}' },
      { type: 'TOOL_CALL_END', toolCallId: 'call-1' },
      {
        type: 'CUSTOM',
        name: 'tool-progress',
        value: { toolCallId: 'call-1', message: 'Searching…' },
      },
      { type: 'CUSTOM', name: 'tool-progress', value: { toolCallId: 'call-1', fraction: 0.5 } },
      {
        type: 'TOOL_CALL_RESULT',
        messageId: 'run-1-result-call-1',
        toolCallId: 'call-1',
        content: '["one"]',
        role: 'tool',
      },
      { type: 'STEP_FINISHED', stepName: 'tools' },
      {
        type: 'RUN_FINISHED',
        threadId: 'thread-1',
        runId: 'client-run',
        usage: [{ model: 'm', ...USAGE, reasoningTokens: 2 }],
      },
    ]);
  });

  it('sends the whole state first, then its changes, and the whole state again after a takeover', () => {
    const whole = (value: unknown) => ({ op: 'replace', path: '', value }) as const;
    const change = { op: 'add', path: '/todos/0', value: 'pack' } as const;
    const log = toLog([
      START,
      { type: 'state', patch: [whole({ todos: [] })] },
      { type: 'state', patch: [change], writers: { todos: ['s1'] } },
      { type: 'state', patch: [], omitted: ['files'] },
      { type: 'run-resume', reason: 'takeover' },
      { type: 'state', patch: [whole({ todos: ['pack'] })] },
    ]);
    expect(mapped(log).slice(1)).toEqual([
      { type: 'STATE_SNAPSHOT', snapshot: { todos: [] } },
      { type: 'STATE_DELTA', delta: [change] },
      { type: 'CUSTOM', name: 'state-omitted', value: { keys: ['files'] } },
      { type: 'STATE_SNAPSHOT', snapshot: { todos: ['pack'] } },
      { type: 'CUSTOM', name: 'state-omitted', value: { keys: [] } },
    ]);
    const joined = joinedAt(0, log.slice(0, 2), { ...RUN, state: { todos: ['old'] } });
    expect(joined).toContainEqual({ type: 'STATE_SNAPSHOT', snapshot: { todos: ['old'] } });
  });

  it("ends a cancelled run in the form that the client's version knows", () => {
    const log = toLog([START, toEnd('cancelled')]);
    expect(mapped(log).at(-1)).toMatchObject({ type: 'RUN_FINISHED', outcome: { type: 'cancelled' } });
    expect(mapped(log, { ...RUN, dialect: '0' }).at(-1)).not.toHaveProperty('outcome');
  });

  it('ends a failed run with its public error', () => {
    const error = { code: 'MODEL_FAILED', message: 'The model call failed.', retryable: true };
    expect(mapped(toLog([START, { ...toEnd('failed'), error }])).at(-1)).toEqual({
      type: 'RUN_ERROR',
      code: 'MODEL_FAILED',
      message: 'The model call failed.',
    });
  });

  it('maps an approval to an interrupt and does not announce the call again after it', () => {
    const request: RunEvent = {
      type: 'input-request',
      kind: 'approval',
      inputId: 'a1',
      toolCallId: 'call-1',
      toolName: 'pay',
      stepId: 's1',
      label: 'Pay 5 €?',
      input: { amount: 5 },
      expiresAt: 1_800_000_000_000,
    };
    const before = toLog([START, request, toEnd('awaiting-input')]);
    const asked = mapped(before);
    expect(asked.map(({ type }) => type)).toEqual([
      'RUN_STARTED',
      'TOOL_CALL_START',
      'TOOL_CALL_ARGS',
      'TOOL_CALL_END',
      'RUN_FINISHED',
    ]);
    expect(asked.at(-1)).toMatchObject({
      outcome: {
        type: 'interrupt',
        interrupts: [
          { id: 'a1', reason: 'tool_call', toolCallId: 'call-1', expiresAt: '2027-01-15T08:00:00.000Z' },
        ],
      },
    });

    const answered = mapped(
      toLog([
        START,
        toolStart('call-1'),
        { type: 'tool-end', toolCallId: 'call-1', outcome: 'ok', durationMs: 1 },
      ]),
      { ...RUN, earlier: before },
    );
    expect(answered.map(({ type }) => type)).toEqual(['RUN_STARTED', 'CUSTOM', 'TOOL_CALL_RESULT']);
  });

  it('sends a snapshot of all messages when a step is reset', () => {
    const log = toLog([
      START,
      step('model'),
      { type: 'text-start', partId: 'p1', messageId: 'm', stepId: 'model' },
      { type: 'text-delta', partId: 'p1', delta: 'Wrong' },
      { type: 'run-resume', reason: 'takeover' },
      { type: 'step-reset', stepId: 'model', attempt: 2, reason: 'takeover' },
    ]);
    expect(mapped(log).slice(-3)).toEqual([
      { type: 'TEXT_MESSAGE_END', messageId: 'run-1-p1' },
      { type: 'STEP_FINISHED', stepName: 'model' },
      { type: 'MESSAGES_SNAPSHOT', messages: [QUESTION] },
    ]);
  });

  it('sends superseded reasoning as empty, since clients keep reasoning that a snapshot leaves out', () => {
    const log = toLog([
      START,
      step('model'),
      { type: 'reasoning-start', partId: 'p1', messageId: 'm', stepId: 'model' },
      { type: 'reasoning-delta', partId: 'p1', delta: 'Hm.' },
      { type: 'step-reset', stepId: 'model', attempt: 1, reason: 'retry' },
    ]);
    expect(mapped(log).at(-1)).toEqual({
      type: 'MESSAGES_SNAPSHOT',
      messages: [QUESTION, { id: 'run-1-p1', role: 'reasoning', content: '' }],
    });
  });

  it.each([
    ['1.0', { verify: verifyEvents, apply: defaultApplyEvents }],
    ['0', { verify: verifyOld, apply: applyOld }],
  ] as const)(
    'passes the checks of the %s client for any run, live and when joined late',
    async (dialect, library) => {
      const run = { ...RUN, dialect };
      await fc.assert(
        fc.asyncProperty(runLogs(), fc.nat(60), async (log, when) => {
          const live = mapped(log, run);
          for (const event of live) expect(EventSchema.parse(event)).toEqual(event);
          expect(await verified(library, live)).toEqual(live);
          const seen = spoken(await foldMessages(library, live));
          expect(seen).toEqual(spoken([QUESTION, ...messagesIn(log, dialect)]));

          const state = foldRun('run', log).state ?? {};
          expect(await foldState(library, live)).toEqual(state);

          const index = when % log.length;
          const joined = joinedAt(index, log, run);
          await verified(library, joined);
          expect(spoken(await foldMessages(library, joined))).toEqual(seen);
          expect(await foldState(library, joined)).toEqual(state);

          // A client that kept what it had seen must not have it twice; what it has missed it puts behind what it has.
          const kept = mapped(log.slice(0, index), run);
          expect(sorted(spoken(await foldMessages(library, [...kept, ...joined])))).toEqual(sorted(seen));
        }),
        { numRuns: 150 },
      );
    },
  );
});

describe.each([
  ['1.0', { verify: verifyEvents, apply: defaultApplyEvents }],
  ['0', { verify: verifyOld, apply: applyOld }],
] as const)('a run continued after inputs, read by the AG-UI client %s', (dialect, library) => {
  it('continues the messages of the run that asked, live and when joined late', async () => {
    await fc.assert(
      fc.asyncProperty(continuedRuns(), fc.nat(60), async ({ before, log }, when) => {
        const asked = mapped(before, { ...RUN, dialect });
        const history = await foldMessages(library, asked);
        const run = { ...RUN, dialect, history, earlier: before };
        const live = mapped(log, run);
        for (const event of live) expect(EventSchema.parse(event)).toEqual(event);
        expect(await verified(library, [...asked, ...live])).toEqual([...asked, ...live]);
        const seen = spoken(await foldMessages(library, [...asked, ...live]));
        expect(sorted(seen)).toEqual(sorted(spoken([QUESTION, ...messagesIn([...before, ...log], dialect)])));

        const joined = joinedAt(when % log.length, log, run);
        await verified(library, joined);
        expect(sorted(spoken(await foldMessages(library, joined)))).toEqual(sorted(seen));
      }),
      { numRuns: 100 },
    );
  });

  it('lists each open question once and none that was withdrawn', () => {
    fc.assert(
      fc.property(continuedRuns(), ({ before, inputs }) => {
        const { outcome } = mapped(before, { ...RUN, dialect }).at(-1) as unknown as {
          outcome: { interrupts: { id: string }[] };
        };
        expect(outcome.interrupts.map(({ id }) => id).toSorted()).toEqual(
          inputs.map(({ inputId }) => inputId).toSorted(),
        );
      }),
    );
  });
});

const START: RunEvent = { type: 'run-start', agent: 'scripted', messageId: 'm' };
const USAGE = { inputTokens: 3, outputTokens: 5, totalTokens: 8 };

function toEnd(outcome: 'completed' | 'failed' | 'cancelled' | 'awaiting-input') {
  return { type: 'end', outcome, usage: USAGE, durationMs: 1 } as const;
}

function step(name: string): RunEvent {
  return { type: 'step-start', stepId: name, name, attempt: 1 };
}

function toolStart(toolCallId: string): RunEvent {
  return {
    type: 'tool-start',
    toolCallId,
    toolName: 'search',
    stepId: 'tools',
    messageId: 'm',
    label: 'Searching…',
    input: { query: 'x' },
  };
}

function toLog(events: readonly RunEvent[]): RecordedEvent[] {
  return events.map((event, index) => ({
    runId: 'run-1',
    threadId: 'thread-1',
    seq: index + 1,
    epoch: 1,
    at: index,
    event,
  }));
}

const TOOL_RUN = toLog([
  START,
  step('model'),
  { type: 'text-start', partId: 'p1', messageId: 'm', stepId: 'model' },
  { type: 'text-delta', partId: 'p1', delta: 'Let me look.' },
  { type: 'text-end', partId: 'p1' },
  { type: 'usage', ...USAGE, reasoningTokens: 2, model: 'm' },
  { type: 'step-end', stepId: 'model', name: 'model', attempt: 1 },
  step('tools'),
  toolStart('call-1'),
  { type: 'tool-progress', toolCallId: 'call-1', fraction: 0.5 },
  { type: 'tool-end', toolCallId: 'call-1', outcome: 'ok', output: ['one'], durationMs: 12 },
  { type: 'step-end', stepId: 'tools', name: 'tools', attempt: 1 },
  toEnd('completed'),
]);

function createMapper(run: AgUiRun): (recorded: RecordedEvent) => AgUiEvent[] {
  const mapper = new AgUiMapper(run);
  return (recorded) => mapper.map(recorded);
}

function mapped(log: readonly RecordedEvent[], run: AgUiRun = RUN): AgUiEvent[] {
  return log.flatMap(createMapper(run));
}

/** Returns the events for a client that joins when `index` is the newest event. */
function joinedAt(index: number, log: readonly RecordedEvent[], run: AgUiRun): AgUiEvent[] {
  const mapper = new AgUiMapper(run);
  const last = index === log.length - 1 ? index - 1 : index;
  for (const recorded of log.slice(0, last + 1)) mapper.map(recorded);
  return [...mapper.catchUp(), ...log.slice(last + 1).flatMap((recorded) => mapper.map(recorded))];
}

/** The library brings its own copy of RxJS, whose types are not ours; at run time any Observable will do. */
type Library = {
  verify: typeof verifyEvents | typeof verifyOld;
  apply: typeof defaultApplyEvents | typeof applyOld;
};

/** @throws what the library has against these events */
function verified({ verify }: Library, events: readonly AgUiEvent[]): Promise<unknown[]> {
  return lastValueFrom(from(asEvents(events)).pipe(verify() as never, toArray()));
}

/** The messages that the library's own reducer makes of the events. */
async function foldMessages(library: Library, events: readonly AgUiEvent[]): Promise<AgUiMessage[]> {
  return (await foldAgent(library, events)).messages;
}

/** Returns the state that the client has in the end. */
async function foldState(library: Library, events: readonly AgUiEvent[]): Promise<unknown> {
  return (await foldAgent(library, events)).state;
}

async function foldAgent({ apply }: Library, events: readonly AgUiEvent[]) {
  const messages = [QUESTION];
  const input = { threadId: 'thread', runId: 'r', messages, state: {}, tools: [], context: [] };
  const source = from(asEvents(events));
  const mutations = apply(input as never, source as never, { messages, state: {} } as never, []);
  const made: { messages?: AgUiMessage[]; state?: unknown }[] = await lastValueFrom(
    from(mutations as never).pipe(toArray()),
  );
  return {
    messages: made.findLast((mutation) => mutation.messages !== undefined)?.messages ?? messages,
    state: made.findLast((mutation) => mutation.state !== undefined)?.state ?? {},
  };
}

/** Reasoning, files and sources that were withdrawn stay in their places, empty. */
function spoken(messages: readonly AgUiMessage[]): AgUiMessage[] {
  return messages.filter((message) => !isWithdrawn(message)).map(withoutOwner);
}

function isWithdrawn({ role, content }: { readonly role: string; readonly content?: unknown }): boolean {
  if (role === 'activity') return (content as { readonly withdrawn?: boolean }).withdrawn === true;
  return role === 'reasoning' && content === '';
}

function sorted(messages: readonly AgUiMessage[]): AgUiMessage[] {
  return messages.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** The messages of a run, with those of the agents that its tools call as far as the client knows such agents. */
function messagesIn(log: readonly RecordedEvent[], dialect: AgUiRun['dialect']): AgUiMessage[] {
  const transcript = new Transcript(true);
  const isKnown = ({ event }: RecordedEvent) =>
    dialect === '1.0' ||
    (event.type !== 'text-start' && event.type !== 'reasoning-start') ||
    !isInsideCall(event);
  for (const recorded of log.filter(isKnown)) transcript.apply(recorded);
  return toAgUiMessages(transcript.entries, { dialect });
}

/** The ids of agents are the client's own affair. */
function withoutOwner(message: AgUiMessage): AgUiMessage {
  const { subagentRunId, ...rest } = message as AgUiMessage & { readonly subagentRunId?: string };
  return subagentRunId === undefined ? message : rest;
}

/** Every event that we make is one of theirs; a copy, because the reducer changes what it is given. */
function asEvents(events: readonly AgUiEvent[]): Event[] {
  return structuredClone(events) as Event[];
}

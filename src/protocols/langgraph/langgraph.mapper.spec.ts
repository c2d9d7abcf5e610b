import { describe, expect, it } from '@jest/globals';
import { Client, MessageAssembler } from '@langchain/langgraph-sdk/client';
import { StreamController, type AgentServerAdapter, type Event } from '@langchain/langgraph-sdk/stream';
import * as fc from 'fast-check';
import type { RecordedEvent } from '../../events/recorded-event.js';
import type { RunEvent } from '../../events/run-event.js';
import { continuedRuns, runLogs } from '../../../test/harness/log-arbitrary.js';
import { Transcript } from '../transcript/transcript.js';
import type { LangGraphEvent } from './langgraph-events.js';
import { isWanted } from './langgraph-subscription.js';
import { LangGraphMapper, getRunIndex, seqBefore } from './langgraph.mapper.js';

describe('LangGraphMapper', () => {
  it('maps a run with a tool to LangGraph events', () => {
    const events = mapped(
      toLog([
        { type: 'run-start', agent: 'scripted', messageId: 'm' },
        { type: 'step-start', stepId: 's', name: 'model', attempt: 1 },
        { type: 'text-start', partId: 'p1', messageId: 'm', stepId: 's' },
        { type: 'text-delta', partId: 'p1', delta: 'Let me look.' },
        { type: 'text-end', partId: 'p1' },
        {
          type: 'tool-start',
          toolCallId: 'call-1',
          toolName: 'search',
          stepId: 's',
          messageId: 'm',
          label: 'Searching…',
          input: { query: 'x' },
        },
        { type: 'tool-end', toolCallId: 'call-1', outcome: 'ok', output: ['one'], durationMs: 1 },
        { type: 'step-end', stepId: 's', name: 'model', attempt: 1 },
        { type: 'end', outcome: 'completed', usage: USAGE, durationMs: 1 },
      ]),
    );
    const run_id = 'run-p1';
    const question = { type: 'human', id: 'q', content: 'What is it?' };
    const said = [
      question,
      {
        type: 'ai',
        id: 'run-p1',
        content: 'Let me look.',
        tool_calls: [{ type: 'tool_call', id: 'call-1', name: 'search', args: { query: 'x' } }],
      },
      {
        type: 'tool',
        id: 'run-result-call-1',
        tool_call_id: 'call-1',
        name: 'search',
        content: '["one"]',
        status: 'success',
      },
    ];
    expect(events.map(({ method, params }) => [method, params.data])).toEqual([
      ['lifecycle', { event: 'running', graph_name: 'scripted' }],
      ['checkpoints', { id: 'run-question' }],
      ['values', { messages: [question] }],
      ['messages', { event: 'message-start', role: 'ai', id: 'run-p1', run_id }],
      ['messages', { event: 'content-block-start', index: 0, content: { type: 'text', text: '' }, run_id }],
      [
        'messages',
        {
          event: 'content-block-delta',
          index: 0,
          delta: { type: 'text-delta', text: 'Let me look.' },
          run_id,
        },
      ],
      [
        'messages',
        {
          event: 'content-block-finish',
          index: 0,
          content: { type: 'text', text: 'Let me look.' },
          run_id,
        },
      ],
      ['messages', { event: 'message-finish', run_id }],
      [
        'tools',
        { event: 'tool-started', tool_call_id: 'call-1', tool_name: 'search', input: { query: 'x' } },
      ],
      ['custom', { name: 'tool-progress', payload: { toolCallId: 'call-1', message: 'Searching…' } }],
      ['tools', { event: 'tool-finished', tool_call_id: 'call-1', output: ['one'] }],
      ['checkpoints', { id: 'run', parent_id: 'run-question' }],
      ['values', { messages: said }],
      ['checkpoints', { id: 'run', parent_id: 'run-question' }],
      ['values', { messages: said }],
      ['lifecycle', { event: 'completed' }],
    ]);
    expect(events[0]).toMatchObject({ type: 'event', event_id: 'synth:run:10000010', seq: 10_000_010 });
  });

  it('maps an approval to an interrupt and ends interrupted', () => {
    const events = mapped(
      toLog([
        {
          type: 'input-request',
          kind: 'approval',
          inputId: 'a1',
          toolCallId: 'call-1',
          toolName: 'pay',
          stepId: 's1',
          label: 'Pay?',
          input: { sum: 5 },
        },
        { type: 'end', outcome: 'awaiting-input', usage: USAGE, durationMs: 1 },
      ]),
    );
    expect(events.map(({ method, params }) => [method, params.data])).toMatchObject([
      [
        'input.requested',
        {
          interrupt_id: 'a1',
          payload: { actionRequests: [{ name: 'pay', args: { sum: 5 }, description: 'Pay?' }] },
        },
      ],
      ['checkpoints', { id: 'run' }],
      ['values', {}],
      ['lifecycle', { event: 'interrupted' }],
    ]);
  });

  it('requests each input once, and reports which were answered or withdrawn', () => {
    const idsIn = (events: readonly LangGraphEvent[], method: string) =>
      events.flatMap(({ method: said, params }) => {
        if (said !== method) return [];
        const { interrupt_id, interrupt_ids } = params.data as {
          interrupt_id?: string;
          interrupt_ids?: string[];
        };
        return interrupt_ids ?? [interrupt_id!];
      });
    fc.assert(
      fc.property(continuedRuns(), ({ before, inputs, log }) => {
        const ids = inputs.map(({ inputId }) => inputId);
        const asked = mapped(before);
        const requested = idsIn(asked, 'input.requested');
        expect(new Set(requested).size).toBe(requested.length);
        const withdrawn = new Set(idsIn(asked, 'input.answered'));
        expect(new Set(requested.filter((id) => !withdrawn.has(id)))).toEqual(new Set(ids));
        const answered = idsIn(mapped(log, 1), 'input.answered');
        expect(answered.slice(0, ids.length)).toEqual(ids);
      }),
    );
  });

  it('tells of a graph inside the run’s own in its namespace, and that it failed with the run', () => {
    const within = { name: 'helper', path: ['helper:1'] };
    const inner = { stepId: '2', name: 'model', attempt: 1, parentStepId: '1', subagent: within };
    const outer = { stepId: '1', name: 'helper', attempt: 1 };
    const events = mapped(
      toLog([
        { type: 'step-start', ...outer },
        { type: 'step-start', ...inner },
        { type: 'text-start', partId: 'p1', messageId: 'm', stepId: '2', subagent: within },
        { type: 'text-end', partId: 'p1' },
        { type: 'custom', name: 'note', data: 1, stepId: '2' },
        { type: 'input-request', kind: 'interrupt', inputId: 'i', stepId: '2', value: 'Well?' },
        { type: 'step-end', ...inner },
        { type: 'step-end', ...outer },
        { type: 'end', outcome: 'failed', usage: USAGE, durationMs: 1 },
      ]),
    );
    const told = events.flatMap(({ method, params: { namespace, data } }) => {
      const { event = '' } = data as { event?: string };
      return namespace.length > 0 ? [`${namespace.join('|')} ${method} ${event}`.trim()] : [];
    });
    expect(told).toEqual([
      'helper:1 lifecycle started',
      'helper:1|model:2 lifecycle started',
      'helper:1 messages message-start',
      'helper:1 messages content-block-start',
      'helper:1 messages content-block-finish',
      'helper:1 messages message-finish',
      'helper:1 custom',
      'helper:1 input.requested',
      'helper:1|model:2 lifecycle completed',
      'helper:1 lifecycle completed',
      'helper:1|model:2 lifecycle failed',
      'helper:1 lifecycle failed',
    ]);
    // The run's own end comes first: clients wait for that one.
    const ends = events.filter(({ method }) => method === 'lifecycle').slice(-3);
    expect(ends.map(({ params }) => params.namespace.length)).toEqual([0, 2, 1]);
  });

  it('gives what was written under a name with a payload as LangGraph does', () => {
    const written = (data: unknown, name = 'custom') =>
      mapped(toLog([{ type: 'custom', name, data }])).map(({ params }) => params.data);
    expect(written({ name: 'status', payload: { at: 1 } })).toEqual([{ name: 'status', payload: { at: 1 } }]);
    expect(written({ name: 1, payload: 2 })).toEqual([{ name: 'custom', payload: { name: 1, payload: 2 } }]);
    expect(written({ stage: 'begin' })).toEqual([{ name: 'custom', payload: { stage: 'begin' } }]);
    expect(written(3, 'note')).toEqual([{ name: 'note', payload: 3 }]);
  });

  it("numbers the events of a thread's runs one run after the other", () => {
    const [first, second] = [0, 1].map((index) => mapped(toLog([RESUME, START]), index));
    expect(first!.at(-1)!.seq).toBeGreaterThan(seqBefore(0));
    expect(first!.at(-1)!.seq).toBeLessThan(seqBefore(1));
    expect(second!.map(({ seq }) => getRunIndex(seq))).toEqual(second!.map(() => 1));
  });

  it('sends any run so that the client assembles every message as it was said', () => {
    fc.assert(
      fc.property(runLogs(), (log) => {
        const events = mapped(log);
        const seqs = events.map(({ seq }) => seq);
        expect(seqs).toEqual([...new Set(seqs)].toSorted((a, b) => a - b));

        const assembler = new MessageAssembler();
        const assembled = new Map<string, string>();
        for (const event of asEvents(events)) {
          if (event.method !== 'messages') continue;
          const update = assembler.consume(event);
          if (update?.kind !== 'message-finish') continue;
          const { id, blocks } = update.message;
          assembled.set(
            id ?? '',
            blocks.map((block) => ('text' in block ? block.text : block['reasoning'])).join(''),
          );
        }
        for (const entry of toTranscript(log).entries) {
          if (!('text' in entry) || entry.kind === 'user') continue;
          expect(assembled.get(entry.id)).toBe(entry.text);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('makes clients drop the text of a step that was reset after it was complete', async () => {
    const said = (partId: string, delta: string): RunEvent[] => [
      { type: 'step-start', stepId: 's', name: 'model', attempt: 1 },
      { type: 'text-start', partId, messageId: 'm', stepId: 's' },
      { type: 'text-delta', partId, delta },
      { type: 'text-end', partId },
    ];
    const log = toLog([
      START,
      ...said('p1', 'Wrong.'),
      { type: 'step-reset', stepId: 's', attempt: 1, reason: 'retry' },
      ...said('p2', 'Right.'),
      { type: 'step-end', stepId: 's', name: 'model', attempt: 1 },
      { type: 'end', outcome: 'completed', usage: USAGE, durationMs: 1 },
    ]);
    expect((await messagesShown(log)).map(({ id }) => id)).toEqual(['q', 'run-p2']);
  });

  it("leaves the client's controller with the messages of the thread, for any run", async () => {
    await fc.assert(
      fc.asyncProperty(runLogs(), async (log) => {
        expect((await messagesShown(log)).map(({ id }) => id)).toEqual(
          toTranscript(log).entries.map(({ id }) => id),
        );
      }),
      { numRuns: 100 },
    );
  });
});

const USAGE = { inputTokens: 1, outputTokens: 1, totalTokens: 2 };
const START: RunEvent = { type: 'run-start', agent: 'scripted', messageId: 'm' };
const RESUME: RunEvent = { type: 'run-resume', reason: 'takeover' };

function toLog(events: readonly RunEvent[]): RecordedEvent[] {
  const common = { runId: 'run', threadId: 'thread', epoch: 1 };
  return events.map((event, index) => ({ ...common, seq: index + 1, at: index, event }));
}

function asked(): Transcript {
  const transcript = new Transcript();
  transcript.ask('q', { message: 'What is it?' });
  return transcript;
}

function toTranscript(log: readonly RecordedEvent[]): Transcript {
  const transcript = asked();
  for (const recorded of log) transcript.apply(recorded);
  return transcript;
}

function mapped(log: readonly RecordedEvent[], index = 0): LangGraphEvent[] {
  const mapper = new LangGraphMapper(index, asked());
  return log.flatMap((recorded) => mapper.map(recorded));
}

/** Every event that we make is one of theirs. */
function asEvents(events: readonly LangGraphEvent[]): Event[] {
  return structuredClone(events) as Event[];
}

/** Returns the messages that a hook shows at the end of this run. */
async function messagesShown(log: readonly RecordedEvent[]) {
  const controller = controllerOver(mapped(log));
  await controller.submit({ messages: [{ type: 'human', id: 'q', content: 'What is it?' }] });
  // It shows what came in one turn in the next.
  await new Promise((resolve) => setTimeout(resolve));
  const { messages, isLoading } = controller.rootStore.getSnapshot();
  expect(isLoading).toBe(false);
  await controller.dispose();
  return messages;
}

/** Creates the controller inside the React hook, over a server that has just these events. */
function controllerOver(events: readonly LangGraphEvent[]): StreamController {
  const transport: AgentServerAdapter = {
    threadId: 'thread',
    open: () => Promise.resolve(),
    close: () => Promise.resolve(),
    async *events() {},
    send: ({ id }) => Promise.resolve({ type: 'success', id, result: { run_id: 'run' } }),
    openEventStream: (subscription) => ({
      ready: Promise.resolve(),
      close: () => undefined,
      events: (async function* () {
        yield* asEvents(events.filter((event) => isWanted(event, subscription)));
      })(),
    }),
    getState: () => Promise.resolve(null),
  };
  return new StreamController({ assistantId: 'scripted', client: new Client(), transport });
}

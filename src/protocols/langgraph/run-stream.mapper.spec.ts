import { describe, expect, it } from '@jest/globals';
import { MessageTupleManager, StreamManager } from '@langchain/langgraph-sdk/ui';
import * as fc from 'fast-check';
import type { RecordedEvent } from '../../events/recorded-event.js';
import { recordedAll } from '../../runs/run.testing.js';
import { continuedRuns, runLogs } from '../../../test/harness/log-arbitrary.js';
import type { LangGraphMessage } from './langgraph-events.js';
import { toLangGraphMessage } from './langgraph-messages.js';
import { STREAM_MODES, type RunStreamChunk, type StreamMode } from './run-stream-chunks.js';
import { RunStreamMapper } from './run-stream.mapper.js';
import { asked, end, mapped, START, TOOL_START, WITH_TOOL } from './run-stream.testing.js';

describe('RunStreamMapper', () => {
  it('starts a run stream with metadata, in any stream modes', () => {
    const log = recordedAll([START, end('completed')]);
    expect(mapped(log, [])).toEqual([
      { event: 'metadata', data: { run_id: 'run', thread_id: 'thread', attempt: 1 } },
    ]);
  });

  it("ends with the name of an agent's own error, where it is shown", () => {
    const last = (name: object) => {
      const error = { code: 'RUN_FAILED', message: 'No such table.', retryable: false, ...name };
      return mapped(recordedAll([START, { ...end('failed'), error }]), []).at(-1);
    };
    const message = 'No such table.';
    expect(last({})).toEqual({ event: 'error', data: { error: 'RUN_FAILED', message } });
    expect(last({ name: 'QueryError' })).toEqual({ event: 'error', data: { error: 'QueryError', message } });
  });

  it('sends what each step wrote, with its tool calls in the earlier message', () => {
    const updates = mapped(recordedAll(WITH_TOOL), ['updates']).filter(({ event }) => event === 'updates');
    expect(updates.map(({ data }) => data)).toMatchObject([
      { model: { messages: [{ type: 'ai', content: 'Let me look.' }] } },
      {
        tools: {
          messages: [
            {
              type: 'ai',
              id: 'run-p1',
              tool_calls: [{ id: 'call-1', name: 'search', args: { query: 'x' } }],
            },
            { type: 'tool', tool_call_id: 'call-1', content: '["one"]', status: 'success' },
          ],
        },
      },
    ]);
  });

  it('sends a message in pieces, each with the name of its step', () => {
    const pieces = mapped(recordedAll(WITH_TOOL), ['messages-tuple']).filter(
      ({ event }) => event === 'messages',
    );
    const by = (langgraph_node: string) => ({ run_id: 'run', thread_id: 'thread', langgraph_node, tags: [] });
    const args = '{"query":"x"}';
    expect(pieces.map(({ data }) => data)).toEqual([
      [{ type: 'AIMessageChunk', id: 'run-p1', content: 'Let me ' }, by('model')],
      [{ type: 'AIMessageChunk', id: 'run-p1', content: 'look.' }, by('model')],
      [
        {
          type: 'AIMessageChunk',
          id: 'run-p1',
          content: '',
          tool_call_chunks: [{ type: 'tool_call_chunk', index: 0, id: 'call-1', name: 'search', args }],
        },
        by('model'),
      ],
      [expect.objectContaining({ type: 'tool', id: 'run-result-call-1', content: '["one"]' }), by('tools')],
    ]);
  });

  it('sends the tokens of each model call once, with the message of that call', () => {
    const counted = { inputTokens: 9, outputTokens: 4, totalTokens: 13 };
    const log = recordedAll([
      START,
      { type: 'step-start', stepId: 's1', name: 'model', attempt: 1 },
      // Says nothing, and calls.
      { type: 'usage', ...counted, cachedInputTokens: 8, cacheWriteInputTokens: 1, model: 'm' },
      TOOL_START,
      // A model inside the tool.
      { type: 'usage', inputTokens: 70, outputTokens: 70, totalTokens: 140, model: 'm' },
      { type: 'tool-end', toolCallId: 'call-1', outcome: 'ok', durationMs: 1 },
      { type: 'text-start', partId: 'p2', messageId: 'm', stepId: 's1' },
      { type: 'text-delta', partId: 'p2', delta: 'Done.' },
      { type: 'text-end', partId: 'p2' },
      { type: 'usage', ...counted, reasoningTokens: 3, model: 'm', finishReason: 'length' },
      end('completed'),
    ]);
    const tokens = { input_tokens: 9, output_tokens: 4, total_tokens: 13 };
    const usages = [
      { ...tokens, input_token_details: { cache_read: 8, cache_creation: 1 } },
      { ...tokens, output_token_details: { reasoning: 3 } },
    ];
    const pieces = mapped(log, ['messages-tuple']).flatMap(({ event, data }) =>
      event === 'messages' && 'usage_metadata' in data[0] ? [data[0].usage_metadata] : [],
    );
    expect(pieces).toEqual(usages);
    const values = mapped(log, ['values']).findLast(({ event }) => event === 'values')?.data;
    const { messages } = values as { messages: readonly LangGraphMessage[] };
    expect(messages.flatMap((message) => (message.type === 'ai' ? [message.usage_metadata] : []))).toEqual(
      usages,
    );
  });

  it('sends the state beside the messages in the mode values, and each key under the steps that wrote it in the mode updates', () => {
    const log = recordedAll([
      START,
      { type: 'state', patch: [{ op: 'replace', path: '', value: { todos: ['pack'] } }] },
      { type: 'step-start', stepId: 's1', name: 'one', attempt: 1 },
      { type: 'step-start', stepId: 's2', name: 'two', attempt: 1 },
      { type: 'step-end', stepId: 's1', name: 'one', attempt: 1 },
      { type: 'step-end', stepId: 's2', name: 'two', attempt: 1 },
      {
        type: 'state',
        patch: [
          { op: 'add', path: '/todos/1', value: 'go' },
          { op: 'add', path: '/notes', value: 'n' },
        ],
        writers: { todos: ['s1', 's2'], notes: ['s2'], gone: ['s1'] },
      },
      end('completed'),
    ]);
    const todos = ['pack', 'go'];
    const updates = mapped(log, ['updates']).filter(({ event }) => event === 'updates');
    expect(updates.map(({ data }) => data)).toEqual([{ one: { todos } }, { two: { todos, notes: 'n' } }]);
    const values = mapped(log, ['values']).filter(({ event }) => event === 'values');
    expect(values.map(({ data }) => data)).toEqual([
      { todos: ['pack'], messages: [expect.anything()] },
      { todos, notes: 'n', messages: [expect.anything()] },
    ]);
  });

  it('sends a growing message again and again in the mode for whole messages', () => {
    const events = mapped(recordedAll(WITH_TOOL), ['messages']).slice(1);
    expect(events.map(({ event, data }) => [event, (data as { content?: string }[])[0]?.content])).toEqual([
      ['messages/metadata', undefined],
      ['messages/partial', 'Let me '],
      ['messages/partial', 'Let me look.'],
      ['messages/complete', 'Let me look.'],
      ['messages/partial', 'Let me look.'],
      ['messages/complete', '["one"]'],
    ]);
  });

  it('sends one state for each superstep, with all that its steps have written', () => {
    const step = (stepId: string, type: 'step-start' | 'step-end') =>
      ({ type, stepId, name: stepId, attempt: 1 }) as const;
    const log = recordedAll([
      START,
      step('a', 'step-start'),
      step('b', 'step-start'),
      { type: 'text-start', partId: 'p1', messageId: 'm', stepId: 'a' },
      { type: 'text-delta', partId: 'p1', delta: 'One.' },
      { type: 'text-end', partId: 'p1' },
      step('a', 'step-end'),
      { type: 'text-start', partId: 'p2', messageId: 'm', stepId: 'b' },
      { type: 'text-delta', partId: 'p2', delta: 'Two.' },
      { type: 'text-end', partId: 'p2' },
      step('b', 'step-end'),
      { type: 'state', patch: [{ op: 'replace', path: '', value: { n: 2 } }], writers: { n: ['b'] } },
      step('c', 'step-start'),
      step('c', 'step-end'),
      end('completed'),
    ]);
    const events = mapped(log, ['values', 'updates']).slice(1);
    expect(events.map(({ event, data }) => [event, ...Object.keys(data as object)])).toEqual([
      ['values', 'messages'],
      ['updates', 'a'],
      ['updates', 'b'],
      ['values', 'n', 'messages'],
      ['updates', 'c'],
    ]);
    expect(events[2]?.data).toMatchObject({ b: { n: 2, messages: [{ content: 'Two.' }] } });
  });

  it('sends tool events in the mode tools, and progress and custom data in the mode custom', () => {
    const log = recordedAll([
      START,
      TOOL_START,
      { type: 'tool-progress', toolCallId: 'call-1', message: 'Half way', fraction: 0.5 },
      { type: 'tool-end', toolCallId: 'call-1', outcome: 'timeout', durationMs: 1 },
      { type: 'custom', name: 'fact', data: { nested: 1 } },
      { type: 'custom', name: 'typed', data: { type: 'typed', more: 2 } },
      { type: 'custom', name: 'custom', data: 'a word' },
    ]);
    const tool = { toolCallId: 'call-1', name: 'search' };
    const progress = { message: 'Half way', fraction: 0.5 };
    const error = { code: 'TOOL_FAILED', message: 'The call ended: timeout.' };
    const listData = (mode: StreamMode) =>
      mapped(log, [mode])
        .filter(({ event }) => event === mode)
        .map(({ data }) => data);
    expect(listData('tools')).toEqual([
      { ...tool, event: 'on_tool_start', input: { query: 'x' }, label: 'Searching…' },
      { ...tool, event: 'on_tool_event', data: progress },
      { ...tool, event: 'on_tool_error', error },
    ]);
    expect(listData('custom')).toEqual([
      { name: 'tool-progress', data: { toolCallId: 'call-1', message: 'Searching…' } },
      { name: 'tool-progress', data: { toolCallId: 'call-1', ...progress } },
      { name: 'fact', data: { nested: 1 } },
      { type: 'typed', more: 2 },
      'a word',
    ]);
  });

  it('sends the public error of a failed run', () => {
    const error = { code: 'MODEL_OVERLOADED', message: 'The model is busy.', retryable: true };
    expect(mapped(recordedAll([START, { ...end('failed'), error }]), []).slice(1)).toEqual([
      { event: 'error', data: { error: 'MODEL_OVERLOADED', message: 'The model is busy.' } },
    ]);
  });

  it("leaves the client's manager with the messages of the thread, for any run", async () => {
    await fc.assert(
      fc.asyncProperty(runLogs(), async (log) => {
        expect((await shown(mapped(log, STREAM_MODES))).map(plain)).toEqual(joinMessages(log).map(plain));
      }),
      { numRuns: 150 },
    );
  });

  it('continues the messages of the run that asked, and asks for each call once', async () => {
    await fc.assert(
      fc.asyncProperty(continuedRuns(), async ({ before, inputs, log }) => {
        const transcript = asked();
        for (const recorded of before) transcript.apply(recorded);
        const modes = new Set(STREAM_MODES);
        const chunks = log.flatMap(
          new RunStreamMapper({ runId: 'next', threadId: 'thread', transcript, modes }).map,
        );
        expect((await shown(chunks)).map(plain)).toEqual(joinMessages([...before, ...log]).map(plain));

        const last = mapped(before, ['values']).findLast(({ event }) => event === 'values');
        const interrupts = inputs.map(({ inputId: id }) => expect.objectContaining({ id }));
        expect(last?.data).toMatchObject({ __interrupt__: interrupts });
      }),
      { numRuns: 100 },
    );
  });

  it('sends pieces of messages that alone add up to every message', async () => {
    await fc.assert(
      fc.asyncProperty(runLogs(), async (log) => {
        // Of a message without words and calls there is no piece, and the question is the client's own.
        const spoken = joinMessages(log).filter(isSpoken);
        const seen = await shown(mapped(log, ['messages-tuple']));
        const byId = (messages: readonly Shown[]) => new Map(messages.map((each) => [each.id, plain(each)]));
        expect(byId(seen.filter(isSpoken))).toEqual(byId(spoken));
      }),
      { numRuns: 150 },
    );
  });
});

function joinMessages(log: readonly RecordedEvent[]): LangGraphMessage[] {
  const transcript = asked();
  for (const recorded of log) transcript.apply(recorded);
  return transcript.entries.map(toLangGraphMessage);
}

type Shown = Pick<LangGraphMessage, 'id' | 'type' | 'content'> & {
  readonly tool_calls?: readonly { id?: string; args: unknown }[];
};
interface State extends Record<string, unknown> {
  messages?: Shown[];
}

/** Returns the messages that the legacy `useStream` keeps at the end; this manager is inside it. */
async function shown(chunks: readonly RunStreamChunk[]): Promise<Shown[]> {
  const manager = new StreamManager<State>(new MessageTupleManager(), { throttle: false });
  let failure: unknown;
  const stream = async () =>
    (async function* () {
      // Through JSON, as on the wire: clients change what they are given.
      yield* JSON.parse(JSON.stringify(chunks.filter(({ event }) => event !== 'error')));
    })();
  await manager.start(stream, {
    getMessages: ({ messages = [] }: State) => messages as never,
    setMessages: (state: State, messages: unknown) => ({ ...state, messages }) as State,
    initialValues: {},
    callbacks: {},
    onSuccess: () => undefined,
    onError: (error: unknown) => void (failure = error),
  });
  expect(failure).toBeUndefined();
  return manager.values?.messages ?? [];
}

function isSpoken({ type, content, tool_calls = [] }: Shown): boolean {
  return type === 'tool' || (type === 'ai' && (readText(content) !== '' || tool_calls.length > 0));
}

function readText(content: Shown['content']): string {
  if (typeof content === 'string') return content;
  return content
    .map((block) => {
      if (block.type === 'text') return block.text;
      return block.type === 'reasoning' ? block.reasoning : '';
    })
    .join('');
}

function plain({ id, type, content, tool_calls = [] }: Shown) {
  return { id, type, text: readText(content), calls: tool_calls.map((call) => [call.id, call.args]) };
}

import { describe, expect, it } from '@jest/globals';
import type { RunEvent } from '../../events/run-event.js';
import { recordedAll } from '../../runs/run.testing.js';
import { end, mapped, START, TOOL_START, USAGE, WITH_TOOL } from './run-stream.testing.js';

describe('RunStreamMapper in the modes tasks, checkpoints, debug and events', () => {
  it('sends tasks and checkpoints, and both in the mode debug, with the state as it was', () => {
    const place = {
      checkpointId: 'c',
      parentId: 'b',
      parentRunId: 'earlier',
      step: 1,
      source: 'loop',
    } as const;
    const planned = { stepId: 's2', name: 'tools' };
    const log = recordedAll([
      ...WITH_TOOL.slice(0, 7),
      { type: 'checkpoint', ...place },
      // The step that comes next is ahead of the word on it.
      { type: 'step-start', ...planned, attempt: 1 },
      TOOL_START,
      { type: 'checkpoint', ...place, next: [planned] },
      { type: 'task', ...planned, triggers: ['branch:to:tools'] },
      { type: 'tool-end', toolCallId: 'call-1', outcome: 'ok', output: ['one'], durationMs: 1 },
      { type: 'step-end', ...planned, attempt: 1 },
      end('completed'),
    ]);
    const chunks = mapped(log, ['tasks', 'checkpoints']).slice(1);
    const said = [{ type: 'human' }, { type: 'ai', content: 'Let me look.' }];
    expect(chunks).toMatchObject([
      { event: 'tasks', data: { id: 's1', name: 'model', result: { messages: [said[1]] }, interrupts: [] } },
      {
        event: 'checkpoints',
        data: {
          values: { messages: said },
          metadata: { step: 1, source: 'loop' },
          next: ['tools'],
          tasks: [{ id: 's2', name: 'tools', path: ['__pregel_pull', 'tools'], interrupts: [] }],
          checkpoint: { thread_id: 'thread', checkpoint_ns: '', checkpoint_id: 'run@c' },
          parent_checkpoint: { checkpoint_id: 'earlier@b' },
        },
      },
      {
        event: 'tasks',
        data: { id: 's2', name: 'tools', input: { messages: said }, triggers: ['branch:to:tools'] },
      },
      { event: 'tasks', data: { id: 's2', result: { messages: [{ type: 'tool', content: '["one"]' }] } } },
    ]);
    // What the tool was called with came later.
    expect(JSON.stringify(chunks[1])).not.toContain('call-1');
    const debug = mapped(log, ['debug']).slice(1);
    expect(debug.map(({ data }) => (data as { payload: unknown }).payload)).toEqual(
      chunks.map(({ data }) => data),
    );
    expect(debug.map(({ data }) => (data as { type: string }).type)).toEqual([
      'task_result',
      'checkpoint',
      'task',
      'task_result',
    ]);
  });

  it('has keys in a checkpoint that were told after it, but none of the checkpoint behind it', () => {
    const state = (step: number): RunEvent => ({
      type: 'state',
      patch: [{ op: 'replace', path: '', value: { step } }],
    });
    const reached = (checkpointId: string, next?: []): RunEvent => ({
      type: 'checkpoint',
      checkpointId,
      step: 0,
      source: 'loop',
      ...(next && { next }),
    });
    const log = recordedAll([
      START,
      state(0),
      reached('a'),
      state(1),
      reached('a', []),
      state(2),
      reached('b'),
      state(3),
      reached('c'),
      state(4),
      reached('b', []),
      reached('c', []),
    ]);
    const chunks = mapped(log, ['checkpoints']).filter(({ event }) => event === 'checkpoints');
    expect(chunks.map(({ data }) => (data as { values: { step: number } }).values.step)).toEqual([1, 2, 4]);
  });

  it('says in the mode tasks that a task failed, or what it asks', () => {
    const begun: RunEvent[] = [START, { type: 'step-start', stepId: 's1', name: 'ask', attempt: 1 }];
    const asks: RunEvent = {
      type: 'input-request',
      kind: 'interrupt',
      inputId: 'i',
      stepId: 's1',
      value: 'Sure?',
    };
    const over: RunEvent = { type: 'step-end', stepId: 's1', name: 'ask', attempt: 1 };
    const error = { code: 'X', message: 'It broke.', retryable: false };
    const last = (...events: RunEvent[]) =>
      mapped(recordedAll([...begun, ...events]), ['tasks']).find(({ event }) => event === 'tasks')?.data;
    const waiting: RunEvent = { type: 'end', outcome: 'awaiting-input', usage: USAGE, durationMs: 1 };
    expect(last(asks, over, waiting)).toEqual({
      id: 's1',
      name: 'ask',
      result: {},
      interrupts: [{ id: 'i', value: 'Sure?' }],
    });
    expect(last(over, { ...end('failed'), error })).toMatchObject({ result: {}, error: 'It broke.' });
  });

  it('sends what callbacks would tell in the mode events, as far as people see it', () => {
    const hidden: RunEvent[] = WITH_TOOL.map((event) => {
      if (event.type !== 'tool-start') return event;
      const { input: _, ...rest } = event;
      return rest;
    });
    const list = (log: RunEvent[]) =>
      mapped(recordedAll(log), ['events'])
        .slice(1)
        .map(({ data }) => data as { event: string; name: string; parent_ids: string[]; data: object });
    const shown = list([
      ...WITH_TOOL.slice(0, 6),
      { type: 'usage', ...USAGE, model: 'm', stepId: 's1' },
      ...WITH_TOOL.slice(6),
    ]);
    expect(shown.map(({ event, name }) => `${event} ${name}`)).toEqual([
      'on_chain_start scripted',
      'on_chain_start model',
      'on_chat_model_start model',
      'on_chat_model_stream model',
      'on_chat_model_stream model',
      'on_chat_model_end model',
      'on_chain_end model',
      'on_chain_start tools',
      'on_tool_start search',
      'on_tool_end search',
      'on_chain_end tools',
      'on_chain_end scripted',
    ]);
    expect(shown[3]).toMatchObject({ data: { chunk: { content: 'Let me ' } }, parent_ids: ['run', 's1'] });
    expect(shown.at(-1)?.data).toMatchObject({ output: { messages: [{}, {}, { type: 'tool' }] } });
    expect(list(hidden).filter(({ event }) => event.startsWith('on_tool'))).toEqual([]);
  });
});

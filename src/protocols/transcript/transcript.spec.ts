import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { RunEvent } from '../../events/run-event.js';
import { foldRun, getText } from '../../events/run-view.js';
import { continuedRuns, runLogs } from '../../../test/harness/log-arbitrary.js';
import { Transcript } from './transcript.js';

describe('Transcript', () => {
  it('puts results after the message that made the calls, and later calls into a new message', () => {
    const transcript = folded([
      text('p1', 'model-1'),
      called('a', 'tools-1'),
      called('b', 'tools-2'),
      ended('b'),
      ended('a'),
      called('c', 'tools-3'),
      ended('c'),
    ]);
    expect(transcript.entries.map(({ id }) => id)).toEqual([
      'run-p1',
      'run-result-b',
      'run-result-a',
      'run-calls-c',
      'run-result-c',
    ]);
    expect(transcript.findCaller('b')?.calls.map(({ toolCallId }) => toolCallId)).toEqual(['a', 'b']);
  });

  it('has no question of a run that changes the state, and goes on with the message before', () => {
    const transcript = new Transcript();
    transcript.ask('first', { message: 'Hello' });
    folded([text('p1', 'model')], transcript);
    transcript.ask('second', { message: 'text for lists', given: { stateChange: { updates: [] } } });
    folded([called('a', 'tools')], transcript);
    expect(transcript.entries.map(({ id }) => id)).toEqual(['first', 'run-p1']);
  });

  it("drops what a superseded step has written in the person's name, and does not ask a question twice after it", () => {
    const put = (stepId: string, messageId: string): RunEvent => ({
      type: 'message-put',
      messageId,
      role: 'user',
      text: messageId,
      stepId,
    });
    const reset: RunEvent = { type: 'step-reset', stepId: 'one', attempt: 2, reason: 'takeover' };
    const question = { message: 'Hello' };
    const transcript = new Transcript();
    transcript.ask('question', question);
    folded([put('one', 'a'), put('two', 'b'), reset, put('one', 'c')], transcript);
    transcript.ask('question', { ...question, resumeOf: 'run' });
    expect(transcript.entries.map(({ id }) => id)).toEqual(['question', 'b', 'c']);
  });

  it('keeps a message without its superseded text when it holds calls of other steps', () => {
    const transcript = folded([
      text('p1', 'model'),
      called('a', 'tools'),
      { type: 'step-reset', stepId: 'model', attempt: 1, reason: 'retry' },
    ]);
    expect(transcript.entries).toMatchObject([{ id: 'run-p1', calls: [{ toolCallId: 'a' }] }]);
    expect(transcript.entries[0]).not.toHaveProperty('text');
  });

  it('tells a call announced with its approval from a later call with the same id', () => {
    const request: RunEvent = {
      type: 'input-request',
      kind: 'approval',
      inputId: 'approval',
      toolCallId: 'a',
      toolName: 'pay',
      stepId: 's1',
      label: 'Paying',
      input: {},
    };
    expect(folded([request, called('a', 'tools'), ended('a')]).entries).toHaveLength(2);
    const twice = folded([called('a', 'tools'), ended('a')]);
    folded([called('a', 'tools'), ended('a')], twice, 'next');
    expect(twice.entries.map(({ id }) => id)).toEqual([
      'run-calls-a',
      'run-result-a',
      'next-calls-a',
      'next-result-a',
    ]);
  });

  it('keeps an approved call with its final input, and its result in the step that made it', () => {
    const request: RunEvent = {
      type: 'input-request',
      kind: 'approval',
      inputId: 'approval',
      toolCallId: 'a',
      toolName: 'pay',
      stepId: 'asking',
      label: 'Paying',
      input: { sum: 5 },
    };
    const transcript = folded([request]);
    const edit: RunEvent = {
      type: 'input-answer',
      kind: 'approval',
      inputId: 'approval',
      decision: 'edit',
      by: 'ann',
    };
    const made = { ...called('a', 'making'), input: { sum: 4 } } as RunEvent;
    folded([edit, made, ended('a')], transcript, 'next');
    expect(transcript.entries).toMatchObject([
      { id: 'run-calls-a', calls: [{ input: { sum: 4 } }] },
      { id: 'next-result-a', stepId: 'making' },
    ]);
    const reset: RunEvent = { type: 'step-reset', stepId: 'making', attempt: 2, reason: 'takeover' };
    folded([reset, called('a', 'making'), ended('a')], transcript, 'next');
    expect(transcript.entries.map(({ id }) => id)).toEqual(['run-calls-a', 'next-result-a']);
  });

  it("adds the user's message once for a run and its continuation", () => {
    const transcript = new Transcript();
    transcript.ask('q', { message: 'Pay!' });
    folded([called('a', 'tools')], transcript);
    transcript.ask('q', { message: 'Pay!' });
    folded([ended('a')], transcript, 'next');
    expect(transcript.entries.map(({ id }) => id)).toEqual(['q', 'run-calls-a', 'next-result-a']);
  });

  it('continues the message of a run that stopped for inputs, with each call and result once', () => {
    fc.assert(
      fc.property(continuedRuns(), ({ before, inputs, log }) => {
        const transcript = new Transcript(true);
        for (const recorded of [...before, ...log]) transcript.apply(recorded);
        const named = transcript.entries.flatMap((entry) =>
          entry.kind === 'assistant'
            ? entry.calls.map(({ toolCallId }) => `call ${toolCallId}`)
            : [entry.kind === 'result' ? `result ${entry.toolCallId}` : entry.id],
        );
        expect(new Set(named).size).toBe(named.length);
        expect(named).toEqual(expect.arrayContaining(inputs.map(({ toolCallId }) => `call ${toolCallId}`)));
        const ended = foldRun('next', log).parts.flatMap((part) =>
          part.kind === 'tool' && part.outcome ? [`result ${part.toolCallId}`] : [],
        );
        expect(named).toEqual(expect.arrayContaining(ended));
      }),
    );
  });

  it('collects the same text as other viewers see, for any run', () => {
    fc.assert(
      fc.property(runLogs(), (log) => {
        const transcript = new Transcript();
        for (const recorded of log) transcript.apply(recorded);
        const words = transcript.entries.map((entry) =>
          entry.kind === 'assistant' ? (entry.text ?? '') : '',
        );
        expect(words.join('')).toBe(getText(foldRun('run', log)));
      }),
    );
  });
});

function text(partId: string, stepId: string): RunEvent {
  return { type: 'text-start', partId, messageId: 'm', stepId };
}

function called(toolCallId: string, stepId: string): RunEvent {
  return { type: 'tool-start', toolCallId, toolName: 'pay', stepId, messageId: 'm', label: 'Paying' };
}

function ended(toolCallId: string): RunEvent {
  return { type: 'tool-end', toolCallId, outcome: 'ok', durationMs: 1 };
}

function folded(events: readonly RunEvent[], transcript = new Transcript(), runId = 'run'): Transcript {
  const common = { runId, threadId: 'thread', epoch: 1 };
  for (const [index, event] of events.entries())
    transcript.apply({ ...common, seq: index + 1, at: index, event });
  return transcript;
}

import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { runLogs } from '../../test/harness/log-arbitrary.js';
import { foldTimeline } from './fold-timeline.js';
import { measureRun } from './run-figures.js';
import type { InputRequest, RunEvent } from './run-event.js';
import { withoutWords } from './without-words.js';

const SECRET = 'My secret';
const call = { toolCallId: 'c', toolName: 'pay', stepId: 's', messageId: 'm' };
const asked = { type: 'input-request', inputId: 'i', stepId: 's' } as const;
const requests: InputRequest[] = [
  {
    ...asked,
    kind: 'approval',
    toolCallId: 'c',
    toolName: 'pay',
    label: SECRET,
    input: SECRET,
    reason: SECRET,
  },
  { ...asked, kind: 'client-tool', toolCallId: 'c', toolName: 'pay', label: SECRET, input: { a: SECRET } },
  { ...asked, kind: 'interrupt', value: SECRET, schema: { title: SECRET } },
  {
    ...asked,
    kind: 'elicitation',
    toolCallId: 'c',
    toolName: 'pay',
    message: SECRET,
    schema: { title: SECRET },
  },
];

describe('withoutWords', () => {
  it.each<RunEvent>([
    { type: 'text-delta', partId: 'p', delta: SECRET },
    { type: 'reasoning-delta', partId: 'p', delta: SECRET },
    { type: 'tool-start', ...call, label: SECRET },
    { type: 'tool-progress', toolCallId: 'c', message: SECRET, fraction: 0.5, data: SECRET },
    { type: 'input-answer', inputId: 'i', kind: 'approval', decision: 'edit', by: 'ann', input: SECRET },
    { type: 'state', patch: [{ op: 'replace', path: `/${SECRET}`, value: SECRET }], omitted: [SECRET] },
    { type: 'custom', name: 'chart', data: SECRET },
    { type: 'something-new', words: SECRET } as unknown as RunEvent,
    ...requests,
  ])('has nothing of what was said in %j', (event) => {
    const bare = withoutWords(event);
    expect(bare.type).toBe(event.type);
    expect(JSON.stringify(bare)).not.toContain('secret');
  });

  it('keeps what a tool exposes of its input and output', () => {
    const started = { type: 'tool-start', ...call, label: SECRET, input: { to: 'Eve' } } as const;
    expect(withoutWords(started)).toEqual({ ...started, label: 'pay' });
    const ended = {
      type: 'tool-end',
      toolCallId: 'c',
      outcome: 'ok',
      output: 'Paid.',
      durationMs: 1,
    } as const;
    expect(withoutWords(ended)).toEqual(ended);
  });

  it('leaves the timeline and the figures of any run as they are, but for the words', () => {
    fc.assert(
      fc.property(runLogs(), (log) => {
        const bare = log.map((recorded) => ({ ...recorded, event: withoutWords(recorded.event) }));
        const toTimes = (events: typeof log) =>
          foldTimeline(events).rows.map((row) => [row.kind, row.from, row.to, row.state, row.replaced]);
        expect(toTimes(bare)).toEqual(toTimes(log));
        expect(measureRun(foldTimeline(bare)).usage).toEqual(measureRun(foldTimeline(log)).usage);
      }),
    );
  });
});

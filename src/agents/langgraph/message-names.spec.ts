import { describe, expect, it } from '@jest/globals';
import { AIMessage, ToolMessage } from '@langchain/core/messages';
import type { KnownMessage } from '../agent.js';
import { createMessageNames } from './message-names.js';

const ai = (id: string, content: string, callId?: string) =>
  new AIMessage({ id, content, ...(callId && { tool_calls: [{ id: callId, name: 'look', args: {} }] }) });
const result = (id: string) => new ToolMessage({ id, tool_call_id: 'c', content: 'seen' });

const MESSAGES = [
  ai('a', 'Done.'),
  ai('b', 'x', 'c'),
  result('r'),
  ai('d', 'Done. '),
  ai('e', 'y', 'c'),
  result('s'),
];

const find = (known: KnownMessage) => createMessageNames({ shown: known }, MESSAGES).toGraphId('shown');
const said = { kind: 'assistant', text: 'Done.', toolCallIds: [] } as const;
const called = { kind: 'assistant', text: '', toolCallIds: ['c'] } as const;
const answered = { kind: 'result', toolCallId: 'c' } as const;

describe('createMessageNames', () => {
  it.each([
    [said, 'a', 'd'],
    [called, 'b', 'e'],
    [answered, 'r', 's'],
  ])('tells messages that look like %j apart by their place', (known, first, last) => {
    expect(find({ ...known, alike: 2, alikeAfter: 1 })).toBe(first);
    expect(find({ ...known, alike: 2, alikeAfter: 0 })).toBe(last);
    expect(find(known)).toBe(last);
  });

  it('refuses one of several that people do not see as many of', () => {
    for (const known of [said, called, answered])
      for (const alike of [1, 3])
        expect(() => find({ ...known, alike, alikeAfter: 0 })).toThrow('look the same');
  });

  it('leaves ids that people do not know', () => {
    expect(createMessageNames({}, MESSAGES).toGraphId('other')).toBe('other');
  });
});

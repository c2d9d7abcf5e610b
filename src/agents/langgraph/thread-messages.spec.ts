import { describe, expect, it } from '@jest/globals';
import { AIMessage, HumanMessage, ToolMessage } from '@langchain/core/messages';
import { CANCELLED, NO_ANSWER } from './repair-history.js';
import { mendThread } from './thread-messages.js';

const SAID = { message: 'Go on', messageId: 'm2' };
const asks = (...ids: string[]) =>
  new AIMessage({
    content: '',
    tool_calls: ids.map((id) => ({ id, name: 'note', args: {}, type: 'tool_call' })),
  });
const person = (content: string, id: string) => new HumanMessage({ id, content });
const answers = (id: string, content = 'ok') => new ToolMessage({ tool_call_id: id, content });

describe('mendThread', () => {
  it('adds only the new message to a thread in which nothing was cut off', () => {
    const stored = [new HumanMessage('Hi'), asks('a'), answers('a'), new AIMessage('Hello')];
    const { added, isAddedAtEnd } = mendThread({ stored, seen: stored }, SAID);
    expect(added.map(({ id, text }) => [id, text])).toEqual([['m2-user', 'Go on']]);
    expect(isAddedAtEnd).toBe(true);
    expect(mendThread({ stored: [], seen: [] }, SAID).added).toHaveLength(1);
  });

  it('adds a result for each call that was cut off, and an assistant note, before the new message', () => {
    const stored = [person('Hi', 'm1-user'), asks('a', 'b'), answers('a')];
    const { added, isAddedAtEnd } = mendThread({ stored, seen: stored }, SAID);
    expect(isAddedAtEnd).toBe(true);
    expect(added[0]).toMatchObject({ tool_call_id: 'b', status: 'error', name: 'note' });
    expect(added.map(({ id, text }) => [id, text])).toEqual([
      ['m2-mended-1', CANCELLED],
      ['m2-mended-2', NO_ANSWER],
      ['m2-user', 'Go on'],
    ]);
  });

  it('adds a tool result in its place that was written but is not in a checkpoint yet', () => {
    const stored = [person('Hi', 'm1-user'), asks('a', 'b')];
    const { added } = mendThread({ stored, seen: [...stored, answers('b', 'found')] }, SAID);
    expect(added.map(({ text }) => text)).toEqual([CANCELLED, 'found', NO_ANSWER, 'Go on']);
  });

  it('replaces the whole thread when something in its middle needs repair', () => {
    const stored = [
      person('Hi', 'm0-user'),
      asks('a', 'b'),
      answers('a'),
      new AIMessage({ id: 'x', content: 'Done.' }),
      answers('b', 'late'),
      person('Again', 'm1-user'),
    ];
    const { messages, isAddedAtEnd } = mendThread({ stored, seen: stored }, SAID);
    expect(isAddedAtEnd).toBe(false);
    expect(messages.map(({ text }) => text)).toEqual([
      'Hi',
      '',
      'ok',
      'late',
      'Done.',
      'Again',
      NO_ANSWER,
      'Go on',
    ]);
  });
});

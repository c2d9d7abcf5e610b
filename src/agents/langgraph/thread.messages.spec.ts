import { describe, expect, it } from '@jest/globals';
import { AIMessage, HumanMessage, ToolMessage } from '@langchain/core/messages';
import { messagesToAdd } from './thread.messages.js';

const SAID = { message: 'Go on', messageId: 'm2' };
const asks = (...ids: string[]) =>
  new AIMessage({
    content: '',
    tool_calls: ids.map((id) => ({ id, name: 'note', args: {}, type: 'tool_call' })),
  });
const answers = (id: string, content = 'ok') => new ToolMessage({ tool_call_id: id, content });

describe('what a new message adds to a thread', () => {
  it('is the message alone when nothing was cut off', () => {
    const stored = [new HumanMessage('Hi'), asks('a'), answers('a'), new AIMessage('Hello')];
    const added = messagesToAdd({ stored, seen: stored }, SAID);
    expect(added.map(({ id, text }) => [id, text])).toEqual([['m2-user', 'Go on']]);
    expect(messagesToAdd({ stored: [], seen: [] }, SAID)).toHaveLength(1);
  });

  it('is an answer to each call that was cut off, before the message', () => {
    const stored = [asks('a', 'b'), answers('a')];
    const [cancelled, message] = messagesToAdd({ stored, seen: stored }, SAID);
    expect(cancelled).toMatchObject({ tool_call_id: 'b', status: 'error', name: 'note' });
    expect(message).toBeInstanceOf(HumanMessage);
  });

  it('gives an answer again that is written but in no checkpoint yet', () => {
    const stored = [asks('a', 'b')];
    const added = messagesToAdd({ stored, seen: [...stored, answers('b', 'found')] }, SAID);
    expect(added.map(({ text }) => text)).toEqual([
      'The call was cancelled before it ended.',
      'found',
      'Go on',
    ]);
  });
});

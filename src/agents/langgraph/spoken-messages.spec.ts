import { describe, expect, it } from '@jest/globals';
import { AIMessage } from '@langchain/core/messages';
import { readMessages } from './message-shape.js';
import { SpokenMessages } from './spoken-messages.js';

describe('SpokenMessages', () => {
  it('recognises a recalled message by the id that the checkpoint gives it after the reader gave it another', () => {
    const spoken = new SpokenMessages(new Set(['read']));
    spoken.recalled('first', 'Hello.');
    spoken.learn([new AIMessage({ id: 'read', content: 'Hello.' })]);
    spoken.learn([new AIMessage({ id: 'stored', content: 'Hello.' })]);
    const replaced = readMessages({ messages: [new AIMessage({ id: 'stored', content: '[redacted]' })] });
    expect(spoken.settle(replaced, 'replace:second')).toMatchObject([
      { kind: 'take-back', namespace: ':first' },
      { kind: 'say', words: { text: '[redacted]' } },
    ]);
  });

  it('says what replaces a message that an earlier owner of the run had stored under its id already', () => {
    // All that the checkpoint holds when the next owner reads it, the run's own message among it.
    const spoken = new SpokenMessages(new Set(['question', 'stored']));
    spoken.recallEarlier(new Set());
    spoken.recalled('first', 'Hello.');
    spoken.learn([new AIMessage({ id: 'stored', content: 'Hello.' })]);
    const replaced = readMessages({ messages: [new AIMessage({ id: 'stored', content: '[redacted]' })] });
    expect(spoken.settle(replaced, 'replace:second')).toMatchObject([
      { kind: 'take-back', namespace: ':first' },
      { kind: 'say', words: { text: '[redacted]' } },
    ]);
    expect(spoken.settle(replaced, 'hand-on:third')).toEqual([]);
  });
});

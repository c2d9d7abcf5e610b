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
});

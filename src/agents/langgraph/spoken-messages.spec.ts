import { describe, expect, it } from '@jest/globals';
import { AIMessage } from '@langchain/core/messages';
import { readMessages } from './message-shape.js';
import { SpokenMessages } from './spoken-messages.js';

const HELLO = { words: { text: 'Hello.', reasoning: '' }, isStored: true };

describe('SpokenMessages', () => {
  it('recognises a recalled message by the id that the checkpoint gives it after the reader gave it another', () => {
    const spoken = new SpokenMessages(new Set(['read']));
    spoken.recalled('first', HELLO);
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
    spoken.recalled('first', HELLO);
    spoken.learn([new AIMessage({ id: 'stored', content: 'Hello.' })]);
    const replaced = readMessages({ messages: [new AIMessage({ id: 'stored', content: '[redacted]' })] });
    expect(spoken.settle(replaced, 'replace:second')).toMatchObject([
      { kind: 'take-back', namespace: ':first' },
      { kind: 'say', words: { text: '[redacted]' } },
    ]);
    expect(spoken.settle(replaced, 'hand-on:third')).toEqual([]);
  });

  it('says what replaces a message whose words an earlier owner had withdrawn before it died', () => {
    const message = (content: string) => new AIMessage({ id: 'stored', content });
    const spoken = new SpokenMessages(new Set(['old', 'question', 'stored']));
    spoken.recallEarlier(new Set(['old']), [message('Hello.')]);
    const settle = (...messages: AIMessage[]) => spoken.settle(readMessages({ messages }), 'replace:second');
    expect(settle(message('Hello.'), new AIMessage({ id: 'old', content: 'Changed.' }))).toEqual([]);
    expect(settle(message('[redacted]'))).toMatchObject([{ kind: 'say', words: { text: '[redacted]' } }]);
  });
});

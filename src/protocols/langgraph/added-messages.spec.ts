import { describe, expect, it } from '@jest/globals';
import { addedMessagesSchema } from './added-messages.js';

describe('addedMessagesSchema', () => {
  it.each(['ai', 'assistant', 'human', 'user'])('takes a message of type %s', (type) => {
    expect(addedMessagesSchema.safeParse({ messages: [{ type, content: 'x' }] }).success).toBe(true);
  });

  it.each(['system', 'constructor', 'toString', '__proto__', ''])('refuses one of type %j', (type) => {
    const { error } = addedMessagesSchema.safeParse({ messages: [{ type, content: 'x' }] });
    expect(error?.issues).toMatchObject([{ path: ['messages', 0, 'type'] }]);
  });
});

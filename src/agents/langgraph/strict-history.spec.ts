import { describe, expect, it } from '@jest/globals';
import {
  AIMessage,
  HumanMessage,
  SystemMessage,
  ToolMessage,
  type BaseMessage,
} from '@langchain/core/messages';
import type { ToolCall } from '@langchain/core/messages/tool';
import { convertMessagesToCompletionsMessageParams } from '@langchain/openai';
import * as fc from 'fast-check';
import { wasFiltered } from './filtered-turns.js';
import { adoptModelMessage, CANCELLED, NO_ANSWER, repairHistory } from './repair-history.js';
import { strictHistory } from './strict-history.js';
import { findRefusal, type WireMessage } from '../../../test/harness/wire-history.js';

const call = (id: string | undefined, name = 'note', args: unknown = {}) =>
  ({ type: 'tool_call', name, args, ...(id !== undefined && { id }) }) as ToolCall;
const asks = (...ids: (string | undefined)[]) =>
  new AIMessage({ content: '', tool_calls: ids.map((id) => call(id)) });
const result = (id: string, content = 'ok') => new ToolMessage({ tool_call_id: id, content });
const wire = (messages: readonly BaseMessage[]) =>
  convertMessagesToCompletionsMessageParams({ messages: [...messages], model: 'gpt-4.1' }) as WireMessage[];
const brief = (messages: readonly BaseMessage[]) =>
  messages.map((message) => {
    if (ToolMessage.isInstance(message)) return `tool<${message.tool_call_id}>:${message.text}`;
    const calls = AIMessage.isInstance(message) ? (message.tool_calls ?? []) : [];
    return `${message.type}:${message.text}${calls.length ? `[${calls.map(({ id }) => id).join()}]` : ''}`;
  });

/** Texts that begin and end in the middle of a character now and then. */
const text = fc.oneof(
  fc.constantFrom('', ' ', '\n', '\ud83d', 'half \ud83d', '\ude00 half', 'words', '😀'),
  fc.string({ unit: 'binary' }),
);
const content = fc.oneof(
  text,
  fc.array(
    text.map((words) => ({ type: 'text' as const, text: words })),
    { maxLength: 3 },
  ),
);
const id = fc.constantFrom('a', 'b', 'c', '', undefined, 'x'.repeat(80), 'call00001');
const args = fc.oneof(
  fc.constant({}),
  fc.dictionary(text, text, { maxKeys: 2 }),
  fc.constantFrom<unknown>('text', null, [], 7),
);
const written = fc.record({ id, name: fc.oneof(fc.constant('note'), text), args });
const anyMessage: fc.Arbitrary<BaseMessage> = fc.oneof(
  content.map((words) => new HumanMessage({ content: words })),
  fc
    .record({
      words: content,
      calls: fc.array(written, { maxLength: 3 }),
      broken: fc.boolean(),
      reason: fc.constantFrom('stop', 'stop', 'stop', 'stop', 'content_filter'),
    })
    .map(({ words, calls, broken, reason: finish_reason }) => {
      const message = new AIMessage({
        content: words,
        tool_calls: calls.map((each) => call(each.id, each.name, each.args)),
        response_metadata: { finish_reason },
      });
      if (!broken) return message;
      // What a stream leaves behind of a call that could not be read.
      const unread = { id: 'a', type: 'function' as const, function: { name: 'note', arguments: '{"a' } };
      message.additional_kwargs.tool_calls = [unread];
      message.invalid_tool_calls = [{ type: 'invalid_tool_call', name: 'note', args: '{"a', id: 'a' }];
      return message;
    }),
  fc
    .record({ callId: id, words: content })
    .map(({ callId, words }) => new ToolMessage({ tool_call_id: callId as string, content: words })),
);
const conversation = fc
  .record({
    system: fc.boolean(),
    messages: fc.array(anyMessage, { maxLength: 12 }),
    question: fc.string({ minLength: 1 }).map((words) => new HumanMessage(`Q${words}`)),
  })
  .map(({ system, messages, question }) => [
    ...(system ? [new SystemMessage('Be kind.')] : []),
    ...messages,
    question,
  ]);

describe('strictHistory and repairHistory', () => {
  it('makes any conversation acceptable to every provider', () => {
    fc.assert(
      fc.property(conversation, (messages) => {
        expect(findRefusal(wire(strictHistory(messages)))).toBeUndefined();
      }),
      { numRuns: 1_000 },
    );
  });

  it('leaves a conversation unchanged that is already strict or repaired', () => {
    fc.assert(
      fc.property(conversation, (messages) => {
        const strict = strictHistory(messages);
        expect(strictHistory(strict)).toBe(strict);
        const repaired = repairHistory(messages);
        expect(repairHistory(repaired)).toBe(repaired);
      }),
    );
  });

  it('keeps the text of every human message that no filter refused', () => {
    const isFiltered = (message: BaseMessage) => AIMessage.isInstance(message) && wasFiltered(message);
    fc.assert(
      fc.property(conversation, (messages) => {
        fc.pre(!messages.some(isFiltered));
        const all = strictHistory(messages)
          .map((message) => message.text)
          .join('\n');
        for (const message of messages) {
          if (
            HumanMessage.isInstance(message) &&
            typeof message.content === 'string' &&
            message.content.trim()
          ) {
            expect(all).toContain(message.content.toWellFormed());
          }
        }
      }),
    );
  });

  it('puts each tool result directly after its call', () => {
    const messages = [
      new HumanMessage('Hi'),
      asks('a', 'b'),
      result('a'),
      new AIMessage('Done.'),
      result('b', 'late'),
    ];
    expect(brief(repairHistory(messages))).toEqual([
      'human:Hi',
      'ai:[a,b]',
      'tool<a>:ok',
      'tool<b>:late',
      'ai:Done.',
    ]);
  });

  it('adds a result after a call that never got one', () => {
    const messages = [new HumanMessage('Hi'), asks('a', 'b'), result('b'), new AIMessage('Done.')];
    expect(brief(repairHistory(messages))).toEqual([
      'human:Hi',
      'ai:[a,b]',
      `tool<a>:${CANCELLED}`,
      'tool<b>:ok',
      'ai:Done.',
    ]);
  });

  it('gives calls with the same id distinct ids, each with its own result', () => {
    const messages = [
      new HumanMessage('Hi'),
      asks('a'),
      result('a', 'first'),
      asks('a', 'a', ''),
      result('a', 'second'),
      result('a', 'third'),
      result('', 'fourth'),
    ];
    const said = brief(repairHistory(messages));
    expect(said[1]).toBe('ai:[a]');
    expect(said[3]).toBe('ai:[call00001,call00002,call00003]');
    expect(said.slice(4)).toEqual([
      'tool<call00001>:second',
      'tool<call00002>:third',
      'tool<call00003>:fourth',
    ]);
  });

  it('drops a tool result without a call', () => {
    expect(brief(repairHistory([new HumanMessage('Hi'), result('a'), new AIMessage('Yes.')]))).toEqual([
      'human:Hi',
      'ai:Yes.',
    ]);
  });

  it('adds a note where the assistant gave no text', () => {
    const thinking = new AIMessage({ content: [{ type: 'thinking', thinking: 'hm' }] });
    const said = repairHistory([
      new HumanMessage('Hi'),
      new AIMessage(''),
      new HumanMessage('Well?'),
      thinking,
    ]);
    expect(brief(said)).toEqual(['human:Hi', `ai:${NO_ANSWER}`, 'human:Well?', `ai:${NO_ANSWER}`]);
  });

  it('joins consecutive human messages, and adds an assistant message between result and question', () => {
    expect(brief(strictHistory([new HumanMessage('One'), new HumanMessage('Two')]))).toEqual([
      'human:One\n\nTwo',
    ]);
    expect(
      brief(strictHistory([new HumanMessage('One'), asks('a'), result('a'), new HumanMessage('Two')])),
    ).toEqual(['human:One', 'ai:[a]', 'tool<a>:ok', `ai:${NO_ANSWER}`, 'human:Two']);
  });
});

describe('adoptModelMessage', () => {
  it('returns the same model message when its ids are new', () => {
    const answer = asks('b');
    expect(adoptModelMessage(answer, [new HumanMessage('Hi'), asks('a')])).toBe(answer);
  });

  it('replaces ids of calls and of the message that are empty or already used', () => {
    const history = [new HumanMessage({ content: 'Hi', id: 'm1' }), asks('a')];
    const answer = new AIMessage({ id: 'm1', content: 'Hm', tool_calls: [call('a'), call(''), call('b')] });
    const adopted = adoptModelMessage(answer, history);
    expect(adopted.id).toBeUndefined();
    expect(adopted.tool_calls?.map((each) => each.id)).toEqual(['call00001', 'call00002', 'b']);
    expect(adopted.text).toBe('Hm');
  });
});

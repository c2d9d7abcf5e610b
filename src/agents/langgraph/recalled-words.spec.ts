import { describe, expect, it } from '@jest/globals';
import type { MessageViewPart } from '../../events/view-parts.js';
import { recallWords } from './recalled-words.js';

const at = (partId: string) => ({ partId, stepId: 'step' });
const text = (words: string): MessageViewPart => ({ kind: 'text', ...at(words), text: words, open: false });
const thought = (words: string): MessageViewPart =>
  ({ ...text(words), kind: 'reasoning' }) as MessageViewPart;
const image = (fileId: string): MessageViewPart => ({
  kind: 'file',
  ...at(fileId),
  mediaType: 'image/png',
  fileId,
});

const drawing = { kind: 'file', data: 'AAAA' } as const;
const stored = (words: string, ...parts: (typeof drawing)[]) => ({ text: words, reasoning: '', parts });
const kept = (fileId: string) => ({ kind: 'file', facts: { mediaType: 'image/png', fileId } });

/** Each message as its text, its thoughts and its images. */
const simplify = (messages: ReturnType<typeof recallWords>) =>
  messages.map(({ words, isStored }) => [
    words.text,
    words.reasoning,
    words.parts?.map((part) => ('facts' in part ? part.facts?.fileId : part.kind)) ?? [],
    isStored,
  ]);

describe('recallWords', () => {
  it('gives each stored message the thoughts before its text and the images behind it', () => {
    const parts = [thought('Hm. '), text('One'), image('a'), image('b'), text('Two'), image('c')];
    const thread = [stored('One', drawing, drawing), stored('Two', drawing)];
    const recalled = recallWords(parts, thread);
    expect(simplify(recalled)).toEqual([
      ['One', 'Hm. ', ['a', 'b'], true],
      ['Two', '', ['c'], true],
    ]);
    expect(recalled[1]?.words.parts).toEqual([kept('c')]);
    expect(thread).toEqual([]);
  });

  it('tells an image that is a message of its own from one beside a text', () => {
    const thread = [stored('One'), stored('', drawing), stored('Two', drawing)];
    expect(simplify(recallWords([text('One'), image('a'), text('Two'), image('b')], thread))).toEqual([
      ['One', '', [], true],
      ['', '', ['a'], true],
      ['Two', '', ['b'], true],
    ]);
  });

  it('joins the texts between which a model has thought', () => {
    const parts = [thought('a'), text('One '), thought('b'), text('and two'), text('Three')];
    expect(simplify(recallWords(parts, [stored('One and two'), stored('Three')]))).toEqual([
      ['One and two', 'ab', [], true],
      ['Three', '', [], true],
    ]);
  });

  it('finds the image of a message behind the text of another one that was said meanwhile', () => {
    const parts = [text('One'), text('Two'), image('a')];
    expect(simplify(recallWords(parts, [stored('One', drawing), stored('Two')]))).toEqual([
      ['One', '', ['a'], true],
      ['Two', '', [], true],
    ]);
  });

  it('takes text for a message, with what is around it, if the thread does not have it', () => {
    const parts = [thought('Hm. '), text('One'), image('a'), thought('So. '), text('Two'), image('b')];
    expect(simplify(recallWords(parts, []))).toEqual([
      ['One', 'Hm. ', ['a'], false],
      ['Two', 'So. ', ['b'], false],
    ]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { quotable } from './demo-quotes.js';

describe('quotable', () => {
  it.each([
    [
      'joins list items and keeps their punctuation',
      '- A frame is committed.\n- Feeds listen\n  first\n1. Done',
      'A frame is committed. Feeds listen first; Done',
    ],
    [
      'turns table rows into parts of a sentence',
      '| Setting | Default | Meaning |\n| --- | ---: | --- |\n| `PORT` | 3000 | Where it listens |\n| `HOST` | | |',
      'PORT: 3000, Where it listens; HOST',
    ],
    [
      'reads table rows whose header was cut off',
      '…a URL |\n| --- | --- |\n| `GET /x` | reads |',
      '…a URL; GET /x: reads',
    ],
    [
      'drops formatting and keeps the spelling of words',
      '**Bold**, _soft_ and ~~gone~~ `Last-Event-ID`. [Docs](https://example.com) LOG_LEVEL',
      'Bold, soft and gone Last-Event-ID. Docs LOG_LEVEL',
    ],
    ['leaves out code blocks', 'Run this:\n\n```bash\nnpm start\n```\n\nThen ask.', 'Run this: Then ask.'],
    ['introduces a section with its heading', '# Head\n\nwords\n\n> quoted', 'Head: words quoted'],
    [
      'escapes characters that Markdown would read as formatting',
      'Send `?lastEventId=<id>` or `a*b*` or \\[x\\] `__dirname`',
      String.raw`Send ?lastEventId=\<id> or a\*b\* or \[x\] \__dirname`,
    ],
  ])('%s', (_, markdown, said) => {
    expect(quotable(markdown, 400)).toBe(said);
  });

  it('cuts a quotation between words', () => {
    expect(quotable('one two, three', 12)).toBe('one two …');
    expect(quotable('one two', 7)).toBe('one two');
  });
});

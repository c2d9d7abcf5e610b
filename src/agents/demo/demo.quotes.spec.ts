import { describe, expect, it } from '@jest/globals';
import { quotable } from './demo.quotes.js';

describe('a quotation from Markdown', () => {
  it.each([
    [
      'joins items, and keeps the stops they have',
      '- A frame is committed.\n- Feeds listen\n  first\n1. Done',
      'A frame is committed. Feeds listen first; Done',
    ],
    [
      'makes parts of a sentence of rows',
      '| Setting | Default | Meaning |\n| --- | ---: | --- |\n| `PORT` | 3000 | Where it listens |\n| `HOST` | | |',
      'PORT: 3000, Where it listens; HOST',
    ],
    [
      'reads rows whose head was cut off',
      '…a URL |\n| --- | --- |\n| `GET /x` | reads |',
      '…a URL; GET /x: reads',
    ],
    [
      'drops marks, and keeps words as they are spelt',
      '**Bold**, _soft_ and ~~gone~~ `Last-Event-ID`. [Docs](https://example.com) LOG_LEVEL',
      'Bold, soft and gone Last-Event-ID. Docs LOG_LEVEL',
    ],
    ['leaves code blocks out', 'Run this:\n\n```bash\nnpm start\n```\n\nThen ask.', 'Run this: Then ask.'],
    ['introduces with a heading', '# Head\n\nwords\n\n> quoted', 'Head: words quoted'],
    [
      'lets nothing be a mark again',
      'Send `?lastEventId=<id>` or `a*b*` or \\[x\\] `__dirname`',
      String.raw`Send ?lastEventId=\<id> or a\*b\* or \[x\] \__dirname`,
    ],
  ])('%s', (_, markdown, said) => {
    expect(quotable(markdown, 400)).toBe(said);
  });

  it('is cut between words', () => {
    expect(quotable('one two, three', 12)).toBe('one two …');
    expect(quotable('one two', 7)).toBe('one two');
  });
});

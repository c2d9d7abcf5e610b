import { describe, expect, it } from '@jest/globals';

// The page's modules are plain JavaScript; a URL keeps the compiler from asking for their types.
const module = new URL('../../web/view/open.markdown.js', import.meta.url).href;
const { mendOpenMarkdown } = (await import(module)) as { mendOpenMarkdown: (text: string) => string };

describe('Markdown that is still being written', () => {
  it.each([
    ['closes bold that goes on', 'a **bo', 'a **bo**'],
    ['closes code that goes on', 'x `co', 'x `co`'],
    ['keeps back marks that may open or close', 'a **', 'a '],
    ['shows a link by its label', 'see [the docs](https://exam', 'see the docs'],
    ['shows a label before its address has begun', 'see [the do', 'see the do'],
    ['keeps back a list item without words', '- one\n- ', '- one\n'],
    ['keeps back a number that may begin an item', '1. one\n2', '1. one\n'],
    ['mends only the last paragraph', '**a\n\nb `c', '**a\n\nb `c`'],
    ['keeps back the end of a fence', '```js\nlet a;\n``', '```js\nlet a;'],
  ])('%s', (_, written, shown) => {
    expect(mendOpenMarkdown(written)).toBe(shown);
  });

  it.each([
    'Words, and nothing else.',
    'a **bold** and a `code`',
    'see [the docs](https://example.com) and go on',
    '5 * 3 is 15',
    '| a | b |\n|--',
    '```js\nconst open = "**',
  ])('leaves %j as it is', (written) => {
    expect(mendOpenMarkdown(written)).toBe(written);
  });
});

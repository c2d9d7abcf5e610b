import { describe, expect, it } from '@jest/globals';

// The page's modules are plain JavaScript; a URL keeps the compiler from asking for their types.
const module = new URL('../../web/view/open-markdown.js', import.meta.url).href;
const { mendOpenMarkdown } = (await import(module)) as { mendOpenMarkdown: (text: string) => string };

describe('mendOpenMarkdown', () => {
  it.each([
    ['closes bold text that is unfinished', 'a **bo', 'a **bo**'],
    ['closes code that is unfinished', 'x `co', 'x `co`'],
    ['hides marks that may open or close', 'a **', 'a '],
    ['shows a link by its label', 'see [the docs](https://exam', 'see the docs'],
    ['shows the label of a link before its address has begun', 'see [the do', 'see the do'],
    ['hides a list item without text', '- one\n- ', '- one\n'],
    ['hides a number that may start a list item', '1. one\n2', '1. one\n'],
    ['closes marks in the last paragraph only', '**a\n\nb `c', '**a\n\nb `c`'],
    ['hides a part of a closing fence', '```js\nlet a;\n``', '```js\nlet a;'],
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
  ])('leaves %j unchanged', (written) => {
    expect(mendOpenMarkdown(written)).toBe(written);
  });
});

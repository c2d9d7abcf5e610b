import { describe, expect, it } from '@jest/globals';
import { htmlText } from './html-text.js';

describe('htmlText', () => {
  it('keeps the text of a page that a person reads', () => {
    const page = `<!doctype html><html><head><title>A &amp; B</title><style>p{}</style></head><body>
      <nav><a href="/">Home</a></nav><h1>Head<b>ing</b></h1><!-- hidden > -->
      <p>One &lt;two&gt;&nbsp;three&#8230; &#x41;</p><ul><li>first</li><li>second</li></ul>
      <script>if (1 < 2) alert("</p>")</script ><p title="a > b">last</p></body></html>`;
    expect(htmlText(page)).toEqual({
      title: 'A & B',
      text: 'Home\n\n# Heading\n\nOne <two> three… A\n\n- first\n\n- second\n\nlast',
    });
  });

  it('does not read plain text as markup', () => {
    expect(htmlText('1 < 2 and 3 > 2 &unknown; &#0;x').text).toBe('1 < 2 and 3 > 2 &unknown; x');
  });

  it('does not turn escaped text into markup', () => {
    expect(htmlText('<p>&lt;script&gt;x&lt;/script&gt;').text).toBe('<script>x</script>');
  });

  it.each([
    '<script>never closed',
    '<p title="never closed>text',
    '<!-- never closed',
    '<',
    '<p',
    '</',
    '&#99999999;',
  ])('accepts the broken page %s', (html) => {
    expect(() => htmlText(html)).not.toThrow();
  });

  it.each(['<', '<!--', '<p "', '<script>', '&', '<head><title', '</script'])(
    'takes linear time for HTML of many repetitions of %s',
    (part) => {
      const started = performance.now();
      htmlText(part.repeat(100_000));
      expect(performance.now() - started).toBeLessThan(10_000);
    },
  );
});

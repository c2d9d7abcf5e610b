import { lexer, type Token, type Tokens } from 'marked';

/**
 * Returns the text of a passage of Markdown as one paragraph to quote: its items and table rows as parts of a sentence, without
 * marks and without code blocks, which make no sense on one line. Cut between words; what could be a mark again is escaped.
 */
export function quotable(markdown: string, length: number): string {
  const text = lexer(markdown).flatMap(listTexts).join(' ').replaceAll(/\s+/g, ' ').replace(/;$/, '').trim();
  const kept = text.length <= length ? text : `${text.slice(0, length).replace(/[\s,;:]*\s\S*$/, '')} …`;
  return kept.replaceAll(/[\\`*[\]<~|]|\b_|_\b/g, String.raw`\$&`);
}

/** The parts of a block, each with what separates it from the next. */
function listTexts(token: Token): string[] {
  switch (token.type) {
    case 'heading':
      return [closed(inline(token.tokens), ':')];
    case 'list':
      return (token as Tokens.List).items.map((item) =>
        closed(item.tokens.flatMap(listTexts).join(' '), ';'),
      );
    case 'table':
      return (token as Tokens.Table).rows.map((row) => toSentence(row.map(({ tokens }) => inline(tokens))));
    case 'blockquote':
      return (token.tokens ?? []).flatMap(listTexts);
    case 'paragraph':
    case 'text':
      return [
        inline(token.tokens ?? [token])
          .split('\n')
          .map(rowAsText)
          .join(' '),
      ];
    default:
      return [];
  }
}

function inline(tokens: readonly Token[] = []): string {
  return tokens
    .map((token) => {
      if (token.type === 'br') return '\n';
      return 'tokens' in token && token.tokens
        ? inline(token.tokens)
        : 'text' in token
          ? String(token.text)
          : '';
    })
    .join('');
}

/** A row of a table whose head was left out, as a search gives it when it shows a part of a section. */
function rowAsText(line: string): string {
  if (!/^\s*\||\|\s*$/.test(line)) return line;
  return toSentence(line.split('|').filter((cell) => !/^\s*:?-+:?\s*$/.test(cell)));
}

/** The cells of a row: the first one is what the others are about. */
function toSentence(cells: readonly string[]): string {
  const [about, ...facts] = cells.map((cell) => cell.trim()).filter(Boolean);
  return closed([about, facts.join(', ')].filter(Boolean).join(': '), ';');
}

const closed = (text: string, mark: ':' | ';') =>
  text === '' || /[.!?:;…]$/.test(text) ? text : `${text}${mark}`;

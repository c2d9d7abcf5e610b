// Also runs in a thread, from the sources: erasable TypeScript only.
/** The readable part of a page. */
export interface PageText {
  readonly title: string | undefined;
  readonly text: string;
}

const SKIPPED = new Set([
  'script',
  'style',
  'noscript',
  'template',
  'svg',
  'iframe',
  'object',
  'canvas',
  'head',
]);
const BLOCKS = new Set(
  (
    'address article aside blockquote br dd details div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 ' +
    'header hr li main nav ol p pre section summary table tbody td tfoot th thead tr ul'
  ).split(' '),
);
const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  shy: '',
  copy: '©',
  reg: '®',
  trade: '™',
  hellip: '…',
  mdash: '—',
  ndash: '–',
  lsquo: '‘',
  rsquo: '’',
  ldquo: '“',
  rdquo: '”',
  laquo: '«',
  raquo: '»',
  bull: '•',
  middot: '·',
  euro: '€',
  pound: '£',
  deg: '°',
  times: '×',
  auml: 'ä',
  ouml: 'ö',
  uuml: 'ü',
  Auml: 'Ä',
  Ouml: 'Ö',
  Uuml: 'Ü',
  szlig: 'ß',
  eacute: 'é',
  egrave: 'è',
  agrave: 'à',
  ccedil: 'ç',
  ntilde: 'ñ',
};

/**
 * The text of an HTML page for a model to read: headings with `#`, list items with `-`, one line per block, no scripts,
 * styles or markup. It reads each character once and so takes broken or hostile pages in linear time; it is not a parser,
 * and its result is plain text that must never be shown as HTML.
 */
export function htmlText(html: string): PageText {
  let title: string | undefined;
  let text = '';
  let at = 0;
  while (at < html.length) {
    const open = html.indexOf('<', at);
    if (open === -1) return { title, text: tidy(text + decoded(html.slice(at))) };
    text += decoded(html.slice(at, open));
    const tag = tagAt(html, open);
    at = tag.end;
    if (tag.name === 'head' && !tag.closing) title = titleIn(html, at);
    if (SKIPPED.has(tag.name) && !tag.closing) at = afterClosing(html, tag.name, at);
    else text += tag.literal ?? getMark(tag.name, tag.closing);
  }
  return { title, text: tidy(text) };
}

interface Tag {
  readonly name: string;
  readonly closing: boolean;
  readonly end: number;
  /** Not a tag: "a < b". */
  readonly literal?: string;
}

function tagAt(html: string, open: number): Tag {
  if (html.startsWith('<!--', open)) {
    const end = html.indexOf('-->', open + 4);
    return { name: '!', closing: false, end: end === -1 ? html.length : end + 3 };
  }
  const [start, slash, name] = /<(\/?)([a-zA-Z][a-zA-Z0-9-]{0,40}|[!?])/y.exec(sliceAt(html, open)) ?? [];
  if (start === undefined) return { name: '', closing: false, end: open + 1, literal: '<' };
  return { name: name!.toLowerCase(), closing: slash === '/', end: tagEnd(html, open + start.length) };
}

function sliceAt(html: string, at: number): string {
  return html.slice(at, at + 48);
}

/** After the `>`, which inside quotes belongs to an attribute's value. */
function tagEnd(html: string, from: number): number {
  const sign = /["'>]/g;
  let at = from;
  for (;;) {
    sign.lastIndex = at;
    const found = sign.exec(html);
    if (!found) return html.length;
    if (found[0] === '>') return found.index + 1;
    const close = html.indexOf(found[0], found.index + 1);
    if (close === -1) return html.length;
    at = close + 1;
  }
}

/** To the end when the element is never closed. */
function afterClosing(html: string, name: string, from: number): number {
  const closing = new RegExp(`</${name}(?=[\\s/>])`, 'gi');
  closing.lastIndex = from;
  const found = closing.exec(html);
  return found ? tagEnd(html, closing.lastIndex) : html.length;
}

function titleIn(html: string, from: number): string | undefined {
  const head = html.slice(from, afterClosing(html, 'head', from));
  const open = /<title(?=[\s>])/i.exec(head);
  if (!open) return undefined;
  const start = tagEnd(head, open.index + open[0].length);
  const end = head.toLowerCase().indexOf('</title', start);
  return tidy(decoded(head.slice(start, end === -1 ? undefined : end))) || undefined;
}

function getMark(name: string, closing: boolean): string {
  if (!BLOCKS.has(name)) return '';
  if (closing) return '\n';
  if (name === 'li') return '\n- ';
  const level = /^h([1-6])$/.exec(name)?.[1];
  return level ? `\n\n${'#'.repeat(Number(level))} ` : '\n';
}

function decoded(text: string): string {
  return text.replace(
    /&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|([A-Za-z]{2,8}));/g,
    (entity, decimal, hex, name) => {
      if (name) return ENTITIES[name as string] ?? entity;
      const code = decimal ? Number(decimal) : Number.parseInt(hex as string, 16);
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : '';
    },
  );
}

function tidy(text: string): string {
  return text
    .split('\n')
    .map((line) => line.replace(/[^\S\n]+/g, ' ').trim())
    .filter((line) => line !== '-' && !/^#{1,6}$/.test(line))
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

// The minified file makes it a global.
import '../../vendor/dompurify.js';
import { Lexer, Marked, Parser, Renderer } from '../../vendor/marked.js';
import { copyButton } from '../dom/copy.button.js';
import { el, set } from '../dom/el.js';
import { footnoteMark, footnoteText, formula, formulaBlock } from './markdown.extensions.js';

class PageRenderer extends Renderer {
  // The address of an image in a model's words would be fetched, and could carry what the model knows to a stranger.
  image({ href, text }) {
    return this.link({ href, title: null, tokens: [{ type: 'text', raw: text, text: text || href }] });
  }

  // What a model writes is shown, not run: HTML stays visible as text.
  html({ text }) {
    return text.replace(/[&<>]/g, (character) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[character]);
  }
}

const { extensions } = new Marked({ extensions: [formulaBlock, formula, footnoteText, footnoteMark] })
  .defaults;
const OPTIONS = { gfm: true, breaks: true, renderer: new PageRenderer(), extensions };

const ALLOWED = {
  ALLOWED_TAGS:
    'a p br hr strong em del code pre blockquote ul ol li h1 h2 h3 h4 h5 h6 table thead tbody tr th td input sup sub'.split(
      ' ',
    ),
  ALLOWED_ATTR: ['href', 'title', 'class', 'start', 'align', 'type', 'checked', 'disabled'],
  // Their values are no addresses, and would not pass for one.
  ADD_URI_SAFE_ATTR: ['align', 'start', 'type'],
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|#|\/(?!\/))/i,
  RETURN_DOM_FRAGMENT: true,
};

// Elements whose direction follows their own text, unless they are within another one: that could not see their text.
const DIRECTED = ':is(p, h1, h2, h3, h4, h5, h6, ul, ol, blockquote):not(:is(blockquote, ul, ol, table) *)';

// Some texts take marked a time that grows with the square of their length: 64,000 brackets half a minute. It cannot be stopped, so a long text is read
// in pieces, each twice as long as the one before, and one that takes too long is the last.
const PIECE = 1_000;
const PIECE_MS = 200;
/** Number of times as long that a piece takes for each character as the fastest, if its time grows with the square of its length. */
const STEEP = 3;
/** Texts in a row that may take that long. One alone may be the fault of a busy machine. */
const MOST_SLOW = 2;
/** Time for the stretches of a text that costs too much as a whole. Each may take less than would be noticed, and all of them minutes. */
const APART_MS = 1_000;
/** Levels of lists and quotes. More of them overflow the stack, of marked or of the browser's layout. */
const MOST_LEVELS = 40;
const NESTED_IN_A_LINE = /^[ \t]*(?:[-*+][ \t]+|>[ \t]*|\d{1,9}[.)][ \t]+){41}/m;
/** A word that marked reads again from each of its characters, as an address of mail. */
const ENDLESS_ADDRESS = /(?<![\w.+-])[\w.+-]{1000,}@/;

/** Returns the blocks of a text; undefined if it would take too long, or is nested too deeply. */
function lex(text) {
  if (ENDLESS_ADDRESS.test(text) || NESTED_IN_A_LINE.test(text)) return undefined;
  let fastest = Infinity;
  for (let length = PIECE, slow = 0; ;) {
    const start = performance.now();
    const tokens = lexPiece(text.slice(0, length));
    if (!tokens || length >= text.length) return tokens;
    const ms = performance.now() - start;
    // Slow in itself, not only because others use the machine: a longer piece takes more for each character.
    const isSteep = length === PIECE || ms / length > fastest * STEEP;
    slow = ms > PIECE_MS && isSteep ? slow + 1 : 0;
    if (slow === MOST_SLOW) return undefined;
    fastest = Math.min(fastest, ms / length);
    // All of it, if that would not take too long even if the time grew with the square.
    if (slow === 0) length = ms * (text.length / length) ** 2 < PIECE_MS ? text.length : length * 2;
  }
}

function lexPiece(text) {
  try {
    const tokens = new Lexer(OPTIONS).lex(text);
    return tokens.some((token) => isDeeper(token, MOST_LEVELS)) ? undefined : tokens;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function isDeeper({ items, tokens, header, rows }, levels) {
  const inner = items ?? tokens ?? (header && [...header, ...rows.flat()]);
  return levels === 0 ? inner !== undefined : inner?.some((token) => isDeeper(token, levels - 1)) === true;
}

/** Returns the blocks of a text that costs too much as a whole: what is between two empty lines by itself, or as it is, as is all after a second of work. */
function lexApart(text) {
  let leftMs = APART_MS;
  return text.split(/(?<=\n\n)(?!\n)/).flatMap((raw) => {
    if (leftMs <= 0) return toPlainBlock(raw);
    const start = performance.now();
    const tokens = lex(raw);
    leftMs -= performance.now() - start;
    return tokens ?? toPlainBlock(raw);
  });
}

function toPlainBlock(raw) {
  const text = raw.trimEnd();
  return { type: 'paragraph', raw, text, tokens: [{ type: 'text', raw: text, text }] };
}

/** The definition of a link. Its name has no bracket: a search to the end of the text, from each line that begins with one, would take seconds. */
const DEFINITION = /^ {0,3}\[(?:\\.|[^[\]\\^]){1,999}\]:/m;

/** Number of blocks at the end that more text may still change. */
export const OPEN_BLOCKS = 2;

/** Splits a growing text into its blocks: paragraphs, lists, code… Blocks before the last ones are not parsed again. */
export class BlockSplitter {
  #tokens = [];
  /** The text of the blocks that stay as they are. */
  #settled = '';
  #settledCount = 0;
  /** Number of texts in a row that cost too much as a whole. After two, what is behind the settled blocks is shown as it is. */
  #slow = 0;

  /** @returns the blocks; `raw` tells whether one has changed */
  split(text) {
    // The definition of a link also applies to the text before it.
    const isAnew = !text.startsWith(this.#settled) || text.includes('\r') || DEFINITION.test(text);
    const kept = isAnew ? [] : this.#tokens.slice(0, this.#settledCount);
    const rest = isAnew ? text : text.slice(this.#settled.length);
    if (!text.startsWith(this.#settled)) this.#slow = 0;
    this.#tokens = [...kept, ...this.#read(rest)];
    this.#settle();
    return this.#tokens.filter(isShown);
  }

  #read(text) {
    if (this.#slow >= MOST_SLOW) return [toPlainBlock(text)];
    const tokens = lex(text);
    this.#slow = tokens ? 0 : this.#slow + 1;
    return tokens ?? lexApart(text);
  }

  #settle() {
    let open = OPEN_BLOCKS;
    const last = this.#tokens.findLastIndex((token) => isShown(token) && --open < 0);
    this.#settledCount = last + 1;
    this.#settled = this.#tokens
      .slice(0, last + 1)
      .map(({ raw }) => raw)
      .join('');
  }
}

function isShown({ type }) {
  return type !== 'space' && type !== 'def';
}

/** Returns the sanitized elements of a token. */
export function renderToken(token) {
  const fragment = globalThis.DOMPurify.sanitize(Parser.parse([token], OPTIONS), ALLOWED);
  for (const link of fragment.querySelectorAll('a')) {
    link.target = '_blank';
    link.rel = 'noopener noreferrer';
  }
  for (const element of fragment.querySelectorAll(DIRECTED)) element.dir = 'auto';
  for (const box of fragment.querySelectorAll('input')) set(box, 'aria-label', box.checked ? 'Done' : 'Open');
  for (const table of fragment.querySelectorAll('table')) {
    const frame = tableFrame();
    table.replaceWith(frame);
    frame.append(table);
  }
  for (const pre of fragment.querySelectorAll('pre')) {
    const text = pre.textContent ?? '';
    const lang = /language-(\S+)/.exec(pre.firstElementChild?.className ?? '')?.[1];
    const code = el('code', {}, text);
    pre.replaceWith(codeFrame(lang ?? '', el('pre', { tabindex: '0' }, code), () => code.textContent));
  }
  return fragment;
}

export function tableFrame() {
  return el('div', { class: 'table', dir: 'auto', tabindex: '0', role: 'group', 'aria-label': 'Table' });
}

/** Returns a `pre` below a bar that stays in view, with a button to copy the code. */
export function codeFrame(language, pre, read) {
  set(pre, 'aria-label', `Code${language && `, ${language}`}`);
  return el(
    'div',
    { class: 'block code', 'data-language': language },
    el('div', { class: 'code-bar' }, el('span', {}, language), copyButton('Copy code', read)),
    pre,
  );
}

export function getLanguage({ lang }) {
  return lang?.split(/\s/, 1)[0] ?? '';
}

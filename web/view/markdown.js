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

/** Number of blocks at the end that more text may still change. */
export const OPEN_BLOCKS = 2;

/** Splits a growing text into its blocks: paragraphs, lists, code… Blocks before the last ones are not parsed again. */
export class BlockSplitter {
  #tokens = [];
  /** The text of the blocks that stay as they are. */
  #settled = '';
  #settledCount = 0;

  /** @returns the blocks; `raw` tells whether one has changed */
  split(text) {
    // The definition of a link also applies to the text before it.
    const isAnew =
      !text.startsWith(this.#settled) || text.includes('\r') || /^ {0,3}\[[^\]^]+\]:/m.test(text);
    const kept = isAnew ? [] : this.#tokens.slice(0, this.#settledCount);
    const rest = isAnew ? text : text.slice(this.#settled.length);
    this.#tokens = [...kept, ...new Lexer(OPTIONS).lex(rest)];
    this.#settle();
    return this.#tokens.filter(isShown);
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

import { el, say, set } from '../dom/el.js';
import { codeFrame, getLanguage, renderToken, tableFrame } from './markdown.js';

// Number of rows, items or lines drawn between two looks at the clock.
const ROWS = 20;
const LINES = 200;
/** Number of lines above which code is folded. */
const FOLD_LINES = 48;

/** Returns a view for blocks of the token's kind. */
export function createBlock(token) {
  switch (token.type) {
    case 'code':
      return new CodeBlock(token);
    case 'table':
      return new TableBlock();
    case 'list':
      return new ListBlock(token);
    default:
      return new PlainBlock();
  }
}

/**
 * A block that is short enough to be drawn at once.
 *
 * Every block has `fits(token)`, true if it can show the token, and `draw(token, hasTime)`, which returns true once all of the token is
 * drawn. If time runs out, the next call continues.
 */
class PlainBlock {
  element = el('div', { class: 'block' });

  fits({ type }) {
    return !['code', 'table', 'list'].includes(type);
  }

  draw(token) {
    this.element.replaceChildren(renderToken(token));
    // Levels without gaps, below the title of the page.
    if (token.level) set(this.element.firstElementChild, 'aria-level', String(token.level));
    return true;
  }
}

/** Grows by rows. */
class TableBlock {
  #frame = tableFrame();
  element = el('div', { class: 'block' }, this.#frame);
  #head;
  #rows = [];

  fits({ type }) {
    return type === 'table';
  }

  draw(token, hasTime) {
    const head = JSON.stringify([token.align, token.header.map(({ text }) => text)]);
    if (head !== this.#head) this.#begin(token, head);
    const body = this.#body();
    const rows = token.rows.map((cells) => cells.map(({ text }) => text).join('\u0000'));
    dropChanged(this.#rows, rows, body);
    while (this.#rows.length < rows.length) {
      const from = this.#rows.length;
      const slice = { ...token, rows: token.rows.slice(from, from + ROWS) };
      body.append(...renderToken(slice).querySelectorAll('tbody > tr'));
      this.#rows.push(...rows.slice(from, from + ROWS));
      if (!hasTime()) break;
    }
    return this.#rows.length === rows.length;
  }

  #begin(token, head) {
    this.#head = head;
    this.#rows = [];
    const table = renderToken({ ...token, rows: [] }).querySelector('table');
    if (!table.tBodies[0]) table.append(el('tbody'));
    this.#frame.replaceChildren(table);
  }

  #body() {
    return this.#frame.firstElementChild.tBodies[0];
  }
}

/** Grows by items. */
class ListBlock {
  #list;
  #items = [];
  element;

  constructor({ ordered, start }) {
    this.#list = el(ordered ? 'ol' : 'ul', { dir: 'auto', start: ordered && start !== 1 && start });
    this.element = el('div', { class: 'block' }, this.#list);
    this.ordered = ordered;
    this.start = start;
  }

  fits({ type, ordered, start }) {
    return type === 'list' && ordered === this.ordered && start === this.start;
  }

  draw(token, hasTime) {
    // One empty line between two items makes all items paragraphs.
    const items = token.items.map(({ raw, loose }) => `${loose} ${raw}`);
    dropChanged(this.#items, items, this.#list);
    while (this.#items.length < items.length) {
      const from = this.#items.length;
      const slice = { ...token, items: token.items.slice(from, from + ROWS) };
      this.#list.append(...renderToken(slice).firstElementChild.children);
      this.#items.push(...items.slice(from, from + ROWS));
      if (!hasTime()) break;
    }
    return this.#items.length === items.length;
  }
}

/** Grows by lines, in pieces: the browser lays out only those in view. */
class CodeBlock {
  #code = el('code');
  #pre = el('pre', { tabindex: '0' }, this.#code);
  #unfold = el('button', {
    type: 'button',
    class: 'unfold',
    hidden: true,
    on: { click: () => this.#open() },
  });
  #language;
  #shown = '';
  #lines = 1;
  #inPiece = LINES;
  #folds = true;
  element;

  constructor(token) {
    this.#language = getLanguage(token);
    this.element = codeFrame(this.#language, this.#pre, () => this.#code.textContent);
    this.element.append(this.#unfold);
  }

  fits(token) {
    return token.type === 'code' && getLanguage(token) === this.#language;
  }

  draw({ text }, hasTime) {
    if (!text.startsWith(this.#shown)) this.#clear();
    while (this.#shown.length < text.length) {
      this.#append(text);
      if (!hasTime()) break;
    }
    this.#fold();
    return this.#shown.length === text.length;
  }

  #append(text) {
    if (this.#inPiece >= LINES) {
      this.#code.append(el('span', { class: 'lines' }, ''));
      this.#inPiece = 0;
    }
    let end = this.#shown.length;
    while (this.#inPiece < LINES && end < text.length) {
      const next = text.indexOf('\n', end) + 1;
      if (next > 0) {
        this.#inPiece += 1;
        this.#lines += 1;
      }
      end = next || text.length;
    }
    this.#code.lastElementChild.append(text.slice(this.#shown.length, end));
    this.#code.lastElementChild.normalize();
    this.#shown = text.slice(0, end);
  }

  #clear() {
    this.#code.replaceChildren();
    this.#shown = '';
    this.#lines = 1;
    this.#inPiece = LINES;
  }

  #fold() {
    const folded = this.#folds && this.#lines > FOLD_LINES;
    set(this.#pre, 'data-folded', folded);
    set(this.#unfold, 'hidden', !folded);
    if (folded) say(this.#unfold, `Show all ${this.#lines.toLocaleString()} lines`);
  }

  #open() {
    this.#folds = false;
    this.#fold();
    this.#pre.focus({ preventScroll: true });
  }
}

/** Removes the first element that differs from its token, and all after it. */
function dropChanged(drawn, wanted, parent) {
  let same = 0;
  while (same < drawn.length && drawn[same] === wanted[same]) same += 1;
  drawn.length = same;
  while (parent.childElementCount > same) parent.lastElementChild.remove();
}

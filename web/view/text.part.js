import { el, set } from '../dom/el.js';
import { createBlock } from './blocks.js';
import { decorate } from './decorate.js';
import { BlockSplitter, OPEN_BLOCKS } from './markdown.js';
import { mendOpenMarkdown } from './open-markdown.js';

// A backlog is shown within about this many frames, so that words flow although they arrive in bursts.
const FRAMES = 9;
/** Number of characters that no model writes at once. A longer backlog is shown at once, without flowing. */
const BURST = 2_000;
/** Milliseconds for drawing in one frame. */
const FRAME_MS = 30;

/** The assistant's text, shown as it arrives. Only changed blocks are drawn again, and long ones over several frames. */
export class TextPartView {
  element = el('div', { class: 'text prose', dir: 'auto' });
  #text = '';
  #shown = 0;
  #open = false;
  #blocks = [];
  #frame = 0;
  #restUntil = 0;
  /** The blocks of the last split text. */
  #split = { text: '', writing: false, tokens: [] };
  #splitter = new BlockSplitter();

  /** @param flowing false shows all at once, as for what was said before the page was opened */
  update({ text, open }, { flowing }) {
    if (!text.startsWith(this.#text.slice(0, this.#shown))) this.#shown = 0;
    this.#text = text;
    this.#open = open;
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const flows = flowing && !calm && !document.hidden && text.length - this.#shown < BURST;
    if (!flows) this.#shown = text.length;
    if (this.#shown < text.length) {
      set(this.element, 'data-writing', true);
      this.#later();
    } else this.#draw();
  }

  remove() {
    cancelAnimationFrame(this.#frame);
    this.element.remove();
  }

  #later() {
    this.#frame ||= requestAnimationFrame(() => this.#flow());
  }

  #flow() {
    this.#frame = 0;
    // A paragraph that keeps growing costs more with each word, so it takes only half of the time.
    if (performance.now() < this.#restUntil) return this.#later();
    const waiting = this.#text.length - this.#shown;
    this.#shown += Math.ceil(waiting / FRAMES);
    // Never half of a character.
    if (/[\uD800-\uDBFF]/.test(this.#text[this.#shown - 1] ?? '')) this.#shown += 1;
    this.#draw();
  }

  #draw() {
    const start = performance.now();
    const text = this.#text.slice(0, this.#shown);
    const writing = this.#open || this.#shown < this.#text.length;
    const whole = this.#drawBlocks(
      this.#getBlocks(text, writing),
      () => performance.now() - start < FRAME_MS,
    );
    set(this.element, 'data-writing', writing || !whole);
    const now = performance.now();
    this.#restUntil = now + (now - start);
    if (this.#shown < this.#text.length || !whole) this.#later();
  }

  #getBlocks(text, writing) {
    if (this.#split.text !== text || this.#split.writing !== writing) {
      const tokens = this.#splitter.split(writing ? mendOpenMarkdown(text) : text);
      this.#split = { text, writing, tokens: withLevels(tokens) };
    }
    return this.#split.tokens;
  }

  /** @returns true once all of them are drawn */
  #drawBlocks(tokens, hasTime) {
    for (const { view } of this.#blocks.splice(tokens.length)) view.element.remove();
    return tokens.every((token, index) => {
      const raw = `${token.level ?? ''}${token.raw}`;
      const block = this.#blocks[index];
      const isSettled = !this.#split.writing || index < tokens.length - OPEN_BLOCKS;
      if (block?.raw === raw && block.whole) {
        if (isSettled) settle(block);
        return true;
      }
      const view = block?.view.fits(token) ? block.view : this.#place(createBlock(token), block?.view);
      const whole = view.draw(token, hasTime);
      this.#blocks[index] = { raw, view, whole, settled: false };
      if (whole && isSettled) settle(this.#blocks[index]);
      return whole && (hasTime() || index === tokens.length - 1);
    });
  }

  #place(view, replaced) {
    if (replaced) replaced.element.replaceWith(view.element);
    else this.element.append(view.element);
    return view;
  }
}

/** Adds colours and formulas to a block that stays as it is. */
function settle(block) {
  if (block.settled) return;
  block.settled = true;
  decorate(block.view.element);
}

/** Gives headings their level on the page: below its title and without gaps, as screen readers need. */
function withLevels(tokens) {
  let above = 1;
  return tokens.map((token) => {
    if (token.type !== 'heading') return token;
    above = Math.min(token.depth + 1, above + 1);
    return { ...token, level: above };
  });
}

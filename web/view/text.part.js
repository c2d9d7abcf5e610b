import { el, set } from '../dom/el.js';
import { splitBlocks, growCodeBlock, renderBlock } from './markdown.js';
import { mendOpenMarkdown } from './open-markdown.js';

// A backlog is shown within about this many frames, so that words flow although they arrive in bursts.
const FRAMES = 9;

/** The assistant's words, shown as they come. Only blocks that changed are drawn again. */
export class TextPartView {
  element = el('div', { class: 'text prose' });
  #text = '';
  #shown = 0;
  #open = false;
  #blocks = [];
  #frame = 0;

  /** @param flowing false shows all at once, as for what was said before the page was opened */
  update({ text, open }, { flowing }) {
    if (!text.startsWith(this.#text.slice(0, this.#shown))) this.#shown = 0;
    this.#text = text;
    this.#open = open;
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    if (!flowing || calm || document.hidden) this.#shown = text.length;
    if (this.#shown < text.length) {
      set(this.element, 'data-writing', true);
      this.#frame ||= requestAnimationFrame(() => this.#flow());
    } else this.#draw();
  }

  remove() {
    cancelAnimationFrame(this.#frame);
    this.element.remove();
  }

  #flow() {
    this.#frame = 0;
    const waiting = this.#text.length - this.#shown;
    this.#shown += Math.max(1, Math.ceil(waiting / FRAMES));
    // Never half of a character.
    if (/[\uD800-\uDBFF]/.test(this.#text[this.#shown - 1] ?? '')) this.#shown += 1;
    this.#draw();
    if (this.#shown < this.#text.length) this.#frame = requestAnimationFrame(() => this.#flow());
  }

  #draw() {
    const writing = this.#open || this.#shown < this.#text.length;
    const text = this.#text.slice(0, this.#shown);
    const tokens = splitBlocks(writing ? mendOpenMarkdown(text) : text);
    tokens.forEach((token, index) => this.#drawBlock(token, index));
    for (const { element } of this.#blocks.splice(tokens.length)) element.remove();
    set(this.element, 'data-writing', writing);
  }

  #drawBlock(token, index) {
    const block = this.#blocks[index];
    if (block?.raw === token.raw) return;
    if (block && growCodeBlock(block.element, token)) {
      block.raw = token.raw;
      return;
    }
    const element = renderBlock(token);
    if (block) block.element.replaceWith(element);
    else this.element.append(element);
    this.#blocks[index] = { raw: token.raw, element };
  }
}

import { set } from '../dom/el.js';

// The same width as in layout.css.
const NARROW = '(max-width: 52rem)';

/** On a narrow screen the side bar is a drawer: closed, nothing in it can be reached; open, nothing else can. */
export class Drawer {
  #panel;
  #backdrop;
  #rest;
  #button;
  #narrow = matchMedia(NARROW);
  #open = false;

  constructor({ panel, backdrop, rest, button }) {
    this.#panel = panel;
    this.#backdrop = backdrop;
    this.#rest = rest;
    this.#button = button;
    this.#narrow.addEventListener('change', () => this.close());
    button.addEventListener('click', () => this.#set(true));
    backdrop.addEventListener('click', () => this.close());
    panel.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || !this.#open) return;
      event.stopPropagation();
      this.close();
    });
    this.#set(false);
  }

  close() {
    const wasOpen = this.#open;
    this.#set(false);
    if (wasOpen && this.#narrow.matches) this.#button.focus();
  }

  #set(open) {
    const narrow = this.#narrow.matches;
    this.#open = open && narrow;
    set(this.#panel, 'data-open', this.#open);
    this.#panel.inert = narrow && !this.#open;
    this.#rest.inert = this.#open;
    set(this.#backdrop, 'hidden', !this.#open);
    set(this.#button, 'aria-expanded', String(this.#open));
    if (this.#open) this.#panel.querySelector('button, a')?.focus();
  }
}

import { words } from '../dom/format.js';
import { el } from '../dom/el.js';
import { section } from './tool.part.js';

/** A team's own fact: named, and there to look into. */
export class CustomPartView {
  element = el('details', { class: 'custom node' });

  update({ name, data }) {
    this.element.replaceChildren(el('summary', {}, words(name)), ...section('Data', data));
  }

  remove() {
    this.element.remove();
  }
}

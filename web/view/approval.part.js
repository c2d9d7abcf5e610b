import { el, set } from '../dom/el.js';
import { icon } from '../dom/icons.js';
import { section } from './tool.part.js';

const DECISIONS = { approve: 'Approved', edit: 'Approved with changes', deny: 'Denied' };

/** A decision that a person has to make, or has made. It is shown here; the API takes the answer. */
export class ApprovalPartView {
  element = el('div', { class: 'approval node', 'data-testid': 'approval' });

  update({ label, input, decision, by }) {
    set(this.element, 'data-decision', decision ?? 'open');
    const state = decision ? `${DECISIONS[decision]} by ${by}` : 'Waits for a decision';
    this.element.replaceChildren(
      el('div', { class: 'approval-line' }, icon('hand'), el('strong', {}, label), el('span', {}, state)),
      ...section('Asks to use', input),
    );
  }

  remove() {
    this.element.remove();
  }
}

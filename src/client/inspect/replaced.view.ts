import { REPLACED } from './describe-row.js';
import { el, setAttribute } from './dom.js';
import { formatDuration } from './format.js';
import type { InspectedLog } from './inspected-log.js';

/** Text that readers have seen and that is no longer in the answer. */
export class ReplacedView {
  private readonly list = el('ol', {});
  readonly element = el(
    'section',
    { class: 'card', 'aria-label': 'Replaced text' },
    el('h3', {}, 'Replaced text'),
    this.list,
  );

  constructor(private readonly select: (position: number) => void) {}

  update({ timeline }: InspectedLog): void {
    setAttribute(this.element, 'hidden', timeline.replaced.length === 0);
    this.list.replaceChildren(
      ...timeline.replaced.map(({ text, reason, attempt, at, index }) =>
        el(
          'li',
          { 'data-testid': 'replaced', 'data-reason': reason },
          el(
            'button',
            { type: 'button', on: { click: () => this.select(index) } },
            `Attempt ${attempt}, ${REPLACED[reason]} at +${formatDuration(at - timeline.from)}`,
          ),
          el('blockquote', {}, text),
        ),
      ),
    );
  }
}

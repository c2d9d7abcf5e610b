import type { ModelCallRow } from '../../events/run-timeline.js';
import { el, setAttribute } from './dom.js';
import { formatCost, formatCount, formatDuration, formatRate } from './format.js';
import type { InspectedLog } from './inspected-log.js';

const COLUMNS: readonly (readonly [string, (call: ModelCallRow) => string])[] = [
  ['Model', ({ model }) => model],
  ['Attempt', ({ attempt }) => formatCount(attempt)],
  ['Input', ({ usage }) => formatCount(usage.inputTokens)],
  [
    'From cache',
    ({ usage }) => (usage.cachedInputTokens === undefined ? '' : formatCount(usage.cachedInputTokens)),
  ],
  ['Output', ({ usage }) => formatCount(usage.outputTokens)],
  ['Cost', ({ usage }) => (usage.costMicros === undefined ? '' : formatCost(usage.costMicros))],
  [
    'First token',
    ({ from, firstTokenAt }) => (firstTokenAt === undefined ? '' : formatDuration(firstTokenAt - from)),
  ],
  ['Tokens/s', ({ tokensPerSecond }) => (tokensPerSecond === undefined ? '' : formatRate(tokensPerSecond))],
  ['Took', ({ from, to = from }) => formatDuration(to - from)],
  ['Ended', ({ state, finishReason }) => (state === 'failed' ? 'failed' : (finishReason ?? 'by itself'))],
];

/** The figures of each model call. */
export class CallsView {
  private readonly body = el('tbody');
  readonly element = el(
    'section',
    { class: 'card', 'aria-label': 'Model calls' },
    el('h3', {}, 'Model calls'),
    el(
      'div',
      { class: 'scrolls', role: 'group', 'aria-label': 'Table of model calls', tabindex: 0 },
      el(
        'table',
        { class: 'calls' },
        el('thead', {}, el('tr', {}, ...COLUMNS.map(([name]) => el('th', { scope: 'col' }, name)))),
        this.body,
      ),
    ),
  );

  update({ timeline }: InspectedLog): void {
    const calls = timeline.rows.filter((row) => row.kind === 'model-call');
    setAttribute(this.element, 'hidden', calls.length === 0);
    this.body.replaceChildren(
      ...calls.map((call) =>
        el(
          'tr',
          { 'data-testid': 'call', 'data-state': call.state },
          ...COLUMNS.map(([name, read]) => el('td', { 'data-column': name }, read(call))),
        ),
      ),
    );
  }
}

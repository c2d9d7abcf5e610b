import type { TimelineRow } from '../../events/run-timeline.js';
import { describeRow, getLabel } from './describe-row.js';
import { el, say, setAttribute } from './dom.js';
import { formatDuration, formatTick } from './format.js';
import type { InspectedLog } from './inspected-log.js';
import { createTimeAxis, type TimeAxis } from './time-axis.js';

interface DrawnRow {
  readonly element: HTMLTableRowElement;
  update(row: TimelineRow, log: InspectedLog, axis: TimeAxis): void;
}

/** The rows of a timeline as a table, whose second column draws them along time: what the eye sees is what a screen reader reads. */
export class WaterfallView {
  private readonly drawn = new Map<string, DrawnRow>();
  private readonly axisCell = el('th', { class: 'bar', 'aria-hidden': 'true' });
  private readonly body = el('tbody');
  private readonly table = el(
    'table',
    { class: 'waterfall' },
    el(
      'caption',
      { class: 'unseen' },
      'What happened, in order: the steps, and in them model calls, tools and waits.',
    ),
    el(
      'thead',
      {},
      el(
        'tr',
        {},
        el('th', { scope: 'col' }, el('span', { class: 'unseen' }, 'What')),
        this.axisCell,
        el('th', { scope: 'col', class: 'number began' }, 'Began'),
        el('th', { scope: 'col', class: 'number' }, 'Took'),
        el('th', { scope: 'col', class: 'facts' }, 'Facts'),
      ),
    ),
    this.body,
  );
  private readonly scale = el('input', { type: 'checkbox', on: { change: () => this.redraw() } });
  private readonly scaleLabel = el('label', { class: 'scale' }, this.scale, ' True to scale');
  readonly element = el('section', { class: 'card', 'aria-label': 'Timeline' }, this.table, this.scaleLabel);
  private log: InspectedLog | undefined;
  private position = 0;

  /** @param select is called with the position of the event to show */
  constructor(private readonly select: (position: number) => void) {}

  update(log: InspectedLog, position: number): void {
    this.position = position;
    if (this.log !== log) {
      this.log = log;
      this.redraw();
    } else this.mark();
  }

  private redraw(): void {
    const { log } = this;
    if (!log) return;
    const { timeline } = log;
    const axis = createTimeAxis(timeline, this.scale.checked ? 'true' : 'short');
    const hasBreaks = createTimeAxis(timeline, 'short').breaks.length > 0;
    setAttribute(this.scaleLabel, 'hidden', !hasBreaks);
    this.axisCell.replaceChildren(...drawTicks(axis));
    const kept = new Set<string>();
    for (const [index, row] of timeline.rows.entries()) {
      kept.add(row.id);
      const drawn = this.drawn.get(row.id) ?? this.begin(row);
      drawn.update(row, log, axis);
      if (this.body.children[index] !== drawn.element)
        this.body.insertBefore(drawn.element, this.body.children[index] ?? null);
    }
    for (const [id, { element }] of this.drawn) {
      if (kept.has(id)) continue;
      element.remove();
      this.drawn.delete(id);
    }
    this.mark();
  }

  private begin(row: TimelineRow): DrawnRow {
    const drawn = drawRow((position) => this.select(position));
    this.drawn.set(row.id, drawn);
    return drawn;
  }

  /** Marks the time of the event that is shown, and the rows that it is in. */
  private mark(): void {
    const { log, position } = this;
    if (!log) return;
    const axis = createTimeAxis(log.timeline, this.scale.checked ? 'true' : 'short');
    const at = log.events[position - 1]?.at ?? log.timeline.from;
    this.table.style.setProperty('--at', String(axis.toFraction(at)));
    for (const row of log.timeline.rows) {
      const isNow = row.first < position && position <= row.last + 1;
      setAttribute(this.drawn.get(row.id)!.element, 'data-now', isNow);
    }
  }
}

function drawTicks({ ticks, breaks, toFraction }: TimeAxis): HTMLElement[] {
  return [
    ...ticks.map(({ at, fraction }) =>
      place(el('span', { class: 'tick' }, formatTick(at)), fraction, fraction),
    ),
    ...breaks.map(({ from, to }) =>
      place(
        el('span', { class: 'break', title: `${formatDuration(to - from)}, drawn shorter` }, '⋯'),
        toFraction(from),
        toFraction(to),
      ),
    ),
  ];
}

function drawRow(select: (position: number) => void): DrawnRow {
  let first = 0;
  const button = el('button', { type: 'button', on: { click: () => select(first + 1) } });
  const bar = el('td', { class: 'bar', 'aria-hidden': 'true' });
  const began = el('td', { class: 'number began' });
  const took = el('td', { class: 'number' });
  const facts = el('td', { class: 'facts' });
  const head = el('th', { scope: 'row' }, button);
  const element = el('tr', { 'data-testid': 'row' }, head, bar, began, took, facts);
  return {
    element,
    update(row, { timeline }, axis) {
      ({ first } = row);
      const { kind, state, replaced, from, depth } = row;
      const to = row.to ?? timeline.to;
      for (const [name, value] of Object.entries({
        kind,
        state,
        replaced,
        from: from - timeline.from,
        took: to - from,
      }))
        setAttribute(element, `data-${name}`, value);
      head.style.setProperty('--depth', String(depth));
      const label = getLabel(row);
      say(button, label);
      setAttribute(button, 'title', label);
      say(began, `+${formatDuration(from - timeline.from)}`);
      say(took, row.state === 'waiting' ? 'waits' : formatDuration(to - from));
      say(facts, describeRow(row));
      setAttribute(facts, 'title', facts.textContent);
      bar.replaceChildren(...drawBands(timeline.rows, axis), ...drawBars(row, to, axis));
    },
  };
}

/** Bands behind every row, for the times without an owner. */
function drawBands(rows: readonly TimelineRow[], { toFraction }: TimeAxis): HTMLElement[] {
  return rows
    .filter(({ kind }) => kind === 'dead')
    .map(({ from, to = from }) => place(el('i', { class: 'band' }), toFraction(from), toFraction(to)));
}

function drawBars(row: TimelineRow, to: number, { toFraction }: TimeAxis): HTMLElement[] {
  const bar = place(el('i', { class: 'span' }), toFraction(row.from), toFraction(to));
  if (row.kind !== 'model-call' || row.firstTokenAt === undefined) return [bar];
  return [bar, place(el('i', { class: 'span answering' }), toFraction(row.firstTokenAt), toFraction(to))];
}

function place<Item extends HTMLElement>(element: Item, from: number, to: number): Item {
  element.style.setProperty('left', `${(from * 100).toFixed(3)}%`);
  element.style.setProperty('width', `${((to - from) * 100).toFixed(3)}%`);
  return element;
}

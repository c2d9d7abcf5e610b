import type { RecordedEvent } from '../../events/recorded-event.js';
import { el, say, setAttribute } from './dom.js';
import { formatQuantity, formatCount, formatDuration, toText } from './format.js';
import type { InspectedLog } from './inspected-log.js';

const ROW_PX = 24;
/** Rows drawn above and below what is to be seen. */
const MARGIN_ROWS = 12;
/** The part of an event that its row shows. */
const SHOWN_CHARACTERS = 300;
const KEYS: Readonly<Record<string, number>> = {
  ArrowDown: 1,
  ArrowUp: -1,
  PageDown: 15,
  PageUp: -15,
  End: Infinity,
  Home: -Infinity,
};

/** The events of a log, with search. Only those that are to be seen are in the document, so that it may have any number. */
export class EventListView {
  private readonly search = el('input', {
    type: 'search',
    placeholder: 'Search the events',
    'aria-label': 'Search the events',
    on: { input: () => this.filter() },
  });
  private readonly count = el('span', { class: 'note', role: 'status' });
  private readonly rows = el('div', { class: 'rows', role: 'presentation' });
  private readonly frame = el(
    'div',
    {
      class: 'events',
      role: 'listbox',
      tabindex: 0,
      'aria-label': 'Events',
      on: {
        scroll: () => this.draw(),
        keydown: (event: KeyboardEvent) => this.onKey(event),
        click: (event: MouseEvent) => this.onClick(event),
      },
    },
    this.rows,
  );
  private readonly detail = el('pre', { class: 'detail', tabindex: 0, 'aria-label': 'The event' });
  readonly element = el(
    'section',
    { class: 'card log', 'aria-label': 'The log' },
    el('h3', {}, 'The log'),
    el('div', { class: 'find' }, this.search, this.count),
    this.frame,
    this.detail,
  );
  private log: InspectedLog | undefined;
  private position = 0;
  private readonly texts = new WeakMap<RecordedEvent, string>();
  /** Places in the log of the events that are shown. */
  private shown: readonly number[] = [];

  constructor(private readonly select: (position: number) => void) {
    new ResizeObserver(() => this.draw()).observe(this.frame);
  }

  update(log: InspectedLog, position: number): void {
    const hasMoved = this.position !== position;
    this.position = position;
    if (this.log !== log) {
      this.log = log;
      this.filter();
    }
    if (hasMoved) this.bringIntoView();
    this.draw();
    const recorded = log.events[position - 1];
    say(this.detail, recorded ? toText(recorded.event, 2) : '');
  }

  private filter(): void {
    const events = this.log?.events ?? [];
    const wanted = this.search.value.trim().toLowerCase();
    const all = events.map((_, index) => index);
    this.shown = wanted === '' ? all : all.filter((index) => this.includes(events[index]!, wanted));
    say(
      this.count,
      wanted === '' ? formatQuantity(events.length, 'event') : `${formatCount(this.shown.length)} found`,
    );
    this.rows.style.setProperty('height', `${this.shown.length * ROW_PX}px`);
    this.draw();
  }

  private draw(): void {
    const { log, frame } = this;
    if (!log) return;
    const first = Math.max(0, Math.floor(frame.scrollTop / ROW_PX) - MARGIN_ROWS);
    const last = Math.min(
      this.shown.length,
      Math.ceil((frame.scrollTop + frame.clientHeight) / ROW_PX) + MARGIN_ROWS,
    );
    this.rows.replaceChildren(
      ...this.shown.slice(first, last).map((index, offset) => this.drawRow(index, first + offset)),
    );
    setAttribute(frame, 'aria-activedescendant', this.rows.querySelector('[aria-selected=true]')?.id);
  }

  private drawRow(index: number, place: number): HTMLElement {
    const { events, timeline } = this.log!;
    const recorded = events[index]!;
    const row = el(
      'div',
      {
        id: `event-${index}`,
        class: 'event',
        role: 'option',
        'data-index': index,
        'data-later': index >= this.position,
        'aria-selected': String(index === this.position - 1),
        'aria-setsize': this.shown.length,
        'aria-posinset': place + 1,
      },
      el('span', { class: 'seq' }, String(recorded.seq)),
      el('span', { class: 'at' }, `+${formatDuration(recorded.at - timeline.from)}`),
      el('b', {}, recorded.event.type),
      ` ${this.toLine(recorded).slice(0, SHOWN_CHARACTERS)}`,
    );
    row.style.setProperty('top', `${place * ROW_PX}px`);
    return row;
  }

  /** The event as one line, without its type. */
  private toLine(recorded: RecordedEvent): string {
    const known = this.texts.get(recorded);
    if (known !== undefined) return known;
    const { type: _, ...fields } = recorded.event;
    const line = toText(fields);
    this.texts.set(recorded, line);
    return line;
  }

  private includes(recorded: RecordedEvent, wanted: string): boolean {
    return recorded.event.type.includes(wanted) || this.toLine(recorded).toLowerCase().includes(wanted);
  }

  private onClick({ target }: MouseEvent): void {
    const row = (target as Element).closest<HTMLElement>('[data-index]');
    if (row) this.select(Number(row.dataset['index']) + 1);
  }

  private onKey(event: KeyboardEvent): void {
    const by = KEYS[event.key];
    if (by === undefined || this.shown.length === 0) return;
    event.preventDefault();
    const here = this.shown.findLastIndex((index) => index < this.position);
    const next = Math.min(this.shown.length - 1, Math.max(0, here + by));
    this.select(this.shown[next]! + 1);
  }

  private bringIntoView(): void {
    const place = this.shown.indexOf(this.position - 1);
    if (place < 0) return;
    const { scrollTop, clientHeight } = this.frame;
    const top = place * ROW_PX;
    if (top < scrollTop) this.frame.scrollTop = top;
    else if (top + ROW_PX > scrollTop + clientHeight) this.frame.scrollTop = top + ROW_PX - clientHeight;
  }
}

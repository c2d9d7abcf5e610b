import { el, say, setAttribute } from './dom.js';
import { formatCount, formatDuration } from './format.js';
import type { InspectedLog } from './inspected-log.js';

/** The longest that a replay waits for the next event. Nobody watches a run wait for a person over night. */
const LONGEST_PAUSE_MS = 5_000;

/** Goes through a log: by a slider, or at the speed at which it happened. */
export class PlayerView {
  private readonly play = el(
    'button',
    { type: 'button', class: 'play', on: { click: () => this.toggle() } },
    '▶ Replay',
  );
  private readonly slider = el('input', {
    type: 'range',
    min: 0,
    step: 1,
    'aria-label': 'Event',
    on: { input: () => this.move(Number(this.slider.value)) },
  });
  private readonly speed = el(
    'select',
    { 'aria-label': 'Speed' },
    ...[1, 2, 5, 20].map((times) =>
      el('option', { value: times }, times === 1 ? 'original speed' : `${times} times`),
    ),
  );
  private readonly place = el('output', { class: 'place' });
  private readonly note = el('p', { class: 'note', role: 'status' });
  readonly element = el(
    'section',
    { class: 'card player', 'aria-label': 'Replay' },
    this.play,
    this.slider,
    this.speed,
    this.place,
    this.note,
  );
  private log: InspectedLog | undefined;
  private position = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly select: (position: number) => void) {}

  get isPlaying(): boolean {
    return this.timer !== undefined;
  }

  update(log: InspectedLog, position: number): void {
    this.log = log;
    this.position = position;
    const { events, timeline } = log;
    setAttribute(this.slider, 'max', events.length);
    this.slider.value = String(position);
    const at = events[position - 1]?.at ?? timeline.from;
    const text = `event ${formatCount(position)} of ${formatCount(events.length)}, +${formatDuration(at - timeline.from)}`;
    say(this.place, text);
    setAttribute(this.slider, 'aria-valuetext', text);
  }

  /** Stops a replay. */
  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    say(this.play, '▶ Replay');
  }

  private move(position: number): void {
    this.stop();
    say(this.note, '');
    this.goTo(position);
  }

  private toggle(): void {
    if (this.isPlaying) return this.stop();
    const { log } = this;
    if (!log) return;
    say(this.play, '❚❚ Pause');
    say(this.note, '');
    if (this.position >= log.events.length) this.goTo(0);
    this.schedule();
  }

  private schedule(): void {
    const { log, position } = this;
    const next = log?.events[position];
    if (!log || !next) return this.stop();
    const after = findLater(log, position);
    const last = log.events[position - 1];
    const pauseMs = last ? Math.max(0, next.at - last.at) : 0;
    const isShortened = pauseMs > LONGEST_PAUSE_MS;
    const isJump = log.timeline.jumps.some((index) => index >= position - 1 && index < after - 1);
    if (isShortened) say(this.note, `A pause of ${formatDuration(pauseMs)} is shortened.`);
    else if (isJump) say(this.note, 'The log was compacted: words that came one by one come at once here.');
    const waitMs = Math.min(pauseMs, LONGEST_PAUSE_MS) / Number(this.speed.value);
    this.timer = setTimeout(() => this.step(after), waitMs);
  }

  private step(position: number): void {
    this.goTo(position);
    this.schedule();
  }

  /** The attribute returns the position only with the next frame, but the next step needs it now. */
  private goTo(position: number): void {
    this.position = position;
    this.select(position);
  }
}

/** Returns the position after the next event, and those of the same moment. */
function findLater({ events }: InspectedLog, position: number): number {
  const at = events[position]?.at;
  let later = position + 1;
  while (later < events.length && events[later]?.at === at) later += 1;
  return later;
}

import { ChatError } from '../chat.error.js';
import { ChatService } from '../chat.service.js';
import { parseRunLogs, type RunLog } from '../run-log.js';
import { ActionsView } from './actions.view.js';
import { CallsView } from './calls.view.js';
import { el, say, setAttribute } from './dom.js';
import { EventListView } from './event-list.view.js';
import { followLogs, type LogReader } from './follow-logs.js';
import { InspectedLog } from './inspected-log.js';
import { PlayerView } from './player.view.js';
import { ReaderView } from './reader.view.js';
import { ReplacedView } from './replaced.view.js';
import { STYLES } from './styles.js';
import { SummaryView } from './summary.view.js';
import { WaterfallView } from './waterfall.view.js';

/** The detail of `positionchange`: the event that is shown. */
export interface InspectedPosition {
  readonly runId: string;
  readonly seq: number;
}

/**
 * `<run-inspector>`: shows what happened in a run, from its log.
 *
 * Attributes: `src`, the address of the chat API; `run`, the run's id; `at`, the seq of the event to show, default the run's last; `token`, a
 * bearer token, default the browser's cookies; `everybody`, for a run that operators may see. Without `src` and `run` it shows logs that are opened in it, and asks no server. Dispatches
 * `positionchange` when a person goes to another event, which may belong to another run of the same answer.
 */
export class RunInspectorElement extends HTMLElement {
  static readonly observedAttributes = ['src', 'run', 'at', 'token', 'everybody'];

  private readonly summary = new SummaryView((position) => this.goTo(position));
  private readonly waterfall = new WaterfallView((position) => this.goTo(position));
  private readonly player = new PlayerView((position) => this.goTo(position));
  private readonly list = new EventListView((position) => this.goTo(position));
  private readonly reader = new ReaderView();
  private readonly calls = new CallsView();
  private readonly replaced = new ReplacedView((position) => this.goTo(position));
  private readonly actions = new ActionsView({
    open: (file) => void this.open(file),
    eventsUrl: (runId) => this.toEventsUrl(runId),
    hasToken: () => this.hasAttribute('token'),
  });
  private readonly status = el('p', { class: 'status', role: 'status' });
  private readonly content = el(
    'div',
    { class: 'content', hidden: true },
    this.summary.element,
    this.waterfall.element,
    this.player.element,
    el('div', { class: 'pair' }, this.list.element, this.reader.element),
    this.replaced.element,
    this.calls.element,
  );
  private log: InspectedLog | undefined;
  private position = 0;
  /** Shows the last event, also when others come. */
  private isAtEnd = true;
  private leaving: AbortController | undefined;
  private isScheduled = false;

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLES);
    root.adoptedStyleSheets = [sheet];
    root.append(el('div', { class: 'inspector' }, this.actions.element, this.status, this.content));
    this.addEventListener('dragover', (event) => event.preventDefault());
    this.addEventListener('drop', (event) => this.onDrop(event));
  }

  connectedCallback(): void {
    this.load();
  }

  disconnectedCallback(): void {
    this.leaving?.abort();
    this.player.stop();
  }

  attributeChangedCallback(name: string, before: string | null, value: string | null): void {
    if (before === value || !this.isConnected) return;
    if (name === 'at') this.showAt();
    else this.load();
  }

  /** Shows the log in a file, or in a text. Nothing leaves the page. */
  async open(file: Blob | string): Promise<void> {
    this.leaving?.abort();
    try {
      const logs = parseRunLogs(typeof file === 'string' ? file : await file.text());
      say(this.status, '');
      this.isAtEnd = true;
      this.show(logs);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      this.fail(`This file is not a log of a run. ${error.message}`);
    }
  }

  private load(): void {
    this.leaving?.abort();
    const { src, run } = { src: this.getAttribute('src'), run: this.getAttribute('run') };
    if (!src || !run) {
      if (!this.log) say(this.status, 'Open the log of a run, or drop it here.');
      return;
    }
    const leaving = new AbortController();
    this.leaving = leaving;
    this.isAtEnd = true;
    this.log = undefined;
    say(this.status, 'Reading the log…');
    void this.follow(src, run, leaving.signal);
  }

  private async follow(baseUrl: string, run: string, signal: AbortSignal): Promise<void> {
    const token = this.getAttribute('token');
    const everybody = this.hasAttribute('everybody');
    const chat = new ChatService({
      baseUrl,
      ...(token && { headers: { authorization: `Bearer ${token}` } }),
    });
    const reader: LogReader = { log: (id, query) => chat.log(id, { ...query, everybody }) };
    const observer = {
      next: (logs: readonly RunLog[]) => {
        say(this.status, '');
        const isFirst = this.log === undefined;
        this.show(logs);
        if (isFirst) this.showAt();
      },
      lost: (isLost: boolean) =>
        say(this.status, isLost ? 'The server cannot be reached. Trying again…' : ''),
    };
    try {
      await followLogs(reader, run, observer, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ChatError)) throw error;
      this.fail(error.message);
      this.dispatchEvent(new CustomEvent('problem', { detail: error }));
    }
  }

  private fail(message: string): void {
    say(this.status, message);
    setAttribute(this.content, 'hidden', !this.log);
  }

  private show(logs: readonly RunLog[]): void {
    const log = new InspectedLog(logs, this.findAsked(logs));
    this.log = log;
    if (this.isAtEnd || this.position > log.events.length) this.position = log.events.length;
    setAttribute(this.content, 'hidden', false);
    this.draw();
  }

  /** Shows the event of the attribute `at`, or the last one of the run. */
  private showAt(): void {
    if (!this.log) return;
    const at = Number(this.getAttribute('at'));
    const isSeq = Number.isInteger(at) && at >= 1;
    this.position = this.log.toPosition(isSeq ? at : Infinity);
    this.isAtEnd = !isSeq && this.position === this.log.events.length;
    this.draw();
  }

  /** Returns the run of the attribute if it is in these logs: a file may have other runs. */
  private findAsked(logs: readonly RunLog[]): string | undefined {
    const asked = this.getAttribute('run');
    return logs.find(({ run }) => run.id === asked)?.run.id;
  }

  private goTo(position: number): void {
    if (!this.log) return;
    this.position = Math.min(Math.max(position, 0), this.log.events.length);
    this.isAtEnd = !this.player.isPlaying && this.position === this.log.events.length;
    this.draw();
    const recorded = this.log.events[this.position - 1];
    if (!recorded) return;
    const { runId, seq } = recorded;
    this.dispatchEvent(new CustomEvent<InspectedPosition>('positionchange', { detail: { runId, seq } }));
  }

  /** Draws at most once a frame, however often the slider moves. */
  private draw(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    requestAnimationFrame(() => {
      this.isScheduled = false;
      const { log, position } = this;
      if (!log) return;
      this.summary.update(log, position);
      this.waterfall.update(log, position);
      this.player.update(log, position);
      this.list.update(log, position);
      this.reader.update(log.viewsAt(position));
      this.calls.update(log);
      this.replaced.update(log);
      this.actions.update(log, position);
    });
  }

  private toEventsUrl(runId: string): string | undefined {
    const src = this.hasAttribute('everybody') ? null : this.getAttribute('src');
    return src
      ? new URL(`${src}/runs/${encodeURIComponent(runId)}/events`, document.baseURI).href
      : undefined;
  }

  private onDrop(event: DragEvent): void {
    event.preventDefault();
    const [file] = event.dataTransfer?.files ?? [];
    if (file) void this.open(file);
  }
}

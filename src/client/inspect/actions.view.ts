import { formatCursor } from '../../events/cursor.js';
import { formatRunLogs } from '../run-log.js';
import { el, say, setAttribute } from './dom.js';
import type { InspectedLog } from './inspected-log.js';

const SAID_MS = 2_000;

/** Buttons: download the log, open another, and copy a curl command that resumes at an event. */
export class ActionsView {
  private readonly curl = el(
    'button',
    { type: 'button', on: { click: () => void this.copyCurl() } },
    'Copy curl',
  );
  private readonly save = el(
    'button',
    { type: 'button', on: { click: () => this.download() } },
    'Download .jsonl',
  );
  private readonly file = el('input', {
    type: 'file',
    accept: '.jsonl,.ndjson,application/x-ndjson',
    class: 'unseen',
    on: { change: () => this.openChosen() },
  });
  readonly element = el(
    'div',
    { class: 'actions' },
    this.curl,
    this.save,
    el('label', { class: 'button' }, 'Open .jsonl', this.file),
  );
  private log: InspectedLog | undefined;
  private position = 0;

  /** @param options `open` gets a file; `eventsUrl` is the address of a run's stream, absent without a server */
  constructor(
    private readonly options: {
      open(file: Blob): void;
      eventsUrl(runId: string): string | undefined;
      hasToken(): boolean;
    },
  ) {}

  update(log: InspectedLog, position: number): void {
    this.log = log;
    this.position = position;
    setAttribute(this.curl, 'hidden', this.command === undefined);
    setAttribute(this.curl, 'title', this.command);
    setAttribute(this.save, 'hidden', log.events.length === 0);
  }

  /** The command that goes on after the event that is shown. */
  private get command(): string | undefined {
    const recorded = this.log?.events[this.position - 1];
    const runId = this.log?.runAt(this.position)?.id;
    const url = runId === undefined ? undefined : this.options.eventsUrl(runId);
    if (url === undefined) return undefined;
    const headers = [
      ...(recorded ? [`Last-Event-ID: ${formatCursor(recorded)}`] : []),
      ...(this.options.hasToken() ? ['Authorization: Bearer $TOKEN'] : []),
    ];
    return ['curl -N', ...headers.map((header) => `-H "${header}"`), `'${url}'`].join(' ');
  }

  private async copyCurl(): Promise<void> {
    if (this.command === undefined) return;
    await navigator.clipboard.writeText(this.command);
    say(this.curl, 'Copied');
    setTimeout(() => say(this.curl, 'Copy curl'), SAID_MS);
  }

  private download(): void {
    if (!this.log) return;
    const url = URL.createObjectURL(
      new Blob([formatRunLogs(this.log.logs)], { type: 'application/x-ndjson' }),
    );
    el('a', { href: url, download: `run-${this.log.runAt(this.position)?.id ?? 'log'}.jsonl` }).click();
    // After the browser has taken it.
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }

  private openChosen(): void {
    const [file] = this.file.files ?? [];
    if (file) this.options.open(file);
    this.file.value = '';
  }
}

import { TIME_SHARES, type TimeShare } from '../../events/run-figures.js';
import type { Feedback } from '../chat.types.js';
import type { RunHead } from '../run-log.js';
import { el, say, setAttribute } from './dom.js';
import { formatQuantity, formatCost, formatCount, formatDuration, formatMoment } from './format.js';
import type { InspectedLog } from './inspected-log.js';

const SHARES: Readonly<Record<TimeShare, string>> = {
  dead: 'process gone',
  person: 'waiting for an answer',
  queue: 'queued',
  tools: 'tools',
  model: 'model',
  rest: 'the rest',
};

/** A run in a line of facts, and where its time went. */
export class SummaryView {
  private readonly title = el('h2', {}, 'Run');
  private readonly facts = el('dl', { class: 'summary' });
  private readonly bar = el('div', { class: 'shares', 'aria-hidden': 'true' });
  private readonly legend = el('ul', { class: 'legend', 'aria-label': 'Where the time went' });
  private log: InspectedLog | undefined;
  private readonly chain = el('ol', {});
  private readonly nav = el(
    'nav',
    { class: 'chain', 'aria-label': 'Runs of this answer' },
    el(
      'p',
      { class: 'note' },
      'Each of these runs continues the one before it. The figures below are totals.',
    ),
    this.chain,
  );
  readonly element = el('header', {}, this.title, this.nav, this.facts, this.bar, this.legend);

  /** @param select is called with the position of the event to show */
  constructor(private readonly select: (position: number) => void) {}

  update(log: InspectedLog, position: number): void {
    const { timeline, figures } = log;
    const shown = log.runAt(position);
    say(this.title, `Run ${shown?.id ?? ''}`);
    this.drawChain(log, shown);
    this.facts.replaceChildren(
      ...listFacts(log).flatMap(([name, value, kind]) => [
        el('div', { 'data-fact': name, 'data-kind': kind }, el('dt', {}, name), el('dd', {}, value)),
      ]),
    );
    const shares = TIME_SHARES.filter((share) => figures.shares[share] > 0);
    this.bar.replaceChildren(
      ...shares.map((share) => {
        const part = el('i', { 'data-share': share });
        part.style.setProperty('flex-grow', String(figures.shares[share]));
        return part;
      }),
    );
    this.legend.replaceChildren(
      ...shares.map((share) =>
        el(
          'li',
          { 'data-share': share, 'data-ms': figures.shares[share] },
          `${SHARES[share]} `,
          el('b', {}, formatDuration(figures.shares[share])),
        ),
      ),
    );
    setAttribute(this.bar, 'hidden', timeline.to === timeline.from);
  }

  private drawChain(log: InspectedLog, shown: RunHead | undefined): void {
    this.log = log;
    const heads = log.logs.map(({ run }) => run);
    setAttribute(this.nav, 'hidden', heads.length < 2);
    const drawn = [...this.chain.children] as HTMLElement[];
    // Kept while they are the same, or a button would lose the focus when pressed.
    if (
      drawn.length !== heads.length ||
      drawn.some((item, index) => item.dataset['run'] !== heads[index]?.id)
    )
      this.chain.replaceChildren(...heads.map(({ id }) => this.drawLink(id)));
    for (const [index, item] of [...this.chain.children].entries()) {
      const [link, facts] = item.children;
      const head = heads[index];
      if (!link || !facts || !head) continue;
      setAttribute(link, 'aria-current', head === shown && 'true');
      say(facts, describeRun(head));
    }
  }

  private drawLink(runId: string): HTMLElement {
    const click = () => this.log && this.select(this.log.toPosition(Infinity, runId));
    const link = el('button', { type: 'button', on: { click } }, `Run ${runId}`);
    return el('li', { 'data-run': runId }, link, el('span'));
  }
}

function describeRun({ status, createdAt, endedAt, usage }: RunHead): string {
  const facts = [
    status.replaceAll('-', ' '),
    endedAt !== undefined && formatDuration(endedAt - createdAt),
    usage?.costMicros !== undefined && `cost ${formatCost(usage.costMicros)}`,
  ];
  return facts.filter(Boolean).join(' · ');
}

function describeFeedback({ rating, comment }: Feedback): string {
  return [rating === 'up' ? 'good answer' : 'bad answer', comment].filter(Boolean).join(': ');
}

function listFacts({ logs, timeline, figures, events }: InspectedLog): [string, string, string?][] {
  const run = logs.at(-1)?.run;
  const { usage, firstWordMs, modelCalls, failedModelCalls, toolCalls, failedToolCalls } = figures;
  const failed = (count: number) => (count > 0 ? `, ${formatCount(count)} failed` : '');
  const facts: ([string, string, string?] | false | undefined)[] = [
    run && ['agent', run.agent],
    [
      'state',
      timeline.outcome?.replaceAll('-', ' ') ?? run?.status ?? 'running',
      timeline.outcome === 'failed' ? 'bad' : undefined,
    ],
    timeline.error && ['error', `${timeline.error.message} (${timeline.error.code})`, 'bad'],
    ['began', formatMoment(timeline.from)],
    ['took', formatDuration(figures.tookMs)],
    firstWordMs !== undefined && ['first word after', formatDuration(firstWordMs)],
    modelCalls > 0 && ['model calls', `${formatCount(modelCalls)}${failed(failedModelCalls)}`],
    toolCalls > 0 && ['tool calls', `${formatCount(toolCalls)}${failed(failedToolCalls)}`],
    usage && ['tokens', `${formatCount(usage.inputTokens)} in, ${formatCount(usage.outputTokens)} out`],
    usage?.costMicros !== undefined && ['cost', formatCost(usage.costMicros)],
    run?.feedback && ['feedback', describeFeedback(run.feedback), 'notable'],
    timeline.attempts > 1 && ['attempts', formatCount(timeline.attempts), 'notable'],
    timeline.replaced.length > 0 && [
      'replaced',
      `${formatQuantity(timeline.replaced.length, 'passage')} of text`,
      'notable',
    ],
    ['log', formatQuantity(events.length, 'event')],
    timeline.jumps.length > 0 && ['compacted', 'a replay jumps where words were joined'],
  ];
  return facts.filter((fact): fact is [string, string, string?] => Boolean(fact));
}

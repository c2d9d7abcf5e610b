import { isInputPart, type RunView, type ViewPart } from '../../events/run-view.js';
import { ANSWERED } from './describe-row.js';
import { el, say } from './dom.js';
import { toText } from './format.js';

/** A reader's view at an event: the fold of the log up to it, as plain text. */
export class ReaderView {
  private readonly parts = el('div', { class: 'answer' });
  private readonly status = el('p', { class: 'note' });
  readonly element = el(
    'section',
    { class: 'card reader', 'aria-label': 'What the reader saw' },
    el('h3', {}, 'What the reader saw'),
    this.parts,
    this.status,
  );
  private drawn: { part: ViewPart; element: HTMLElement }[] = [];

  update(views: readonly RunView[]): void {
    const parts = views.flatMap((view) => view.parts);
    const drawn = parts.map((part, index) => {
      const known = this.drawn[index];
      return known?.part === part ? known : { part, element: drawPart(part) };
    });
    const isSame =
      drawn.length === this.drawn.length && drawn.every((each, index) => each === this.drawn[index]);
    if (!isSame) this.parts.replaceChildren(...drawn.map(({ element }) => element));
    this.drawn = drawn;
    say(this.status, views.at(-1)?.status.replaceAll('-', ' ') ?? 'nothing yet');
  }
}

function drawPart(part: ViewPart): HTMLElement {
  const attributes = { 'data-part': part.kind };
  if (isInputPart(part)) {
    const asks = 'label' in part ? part.label : 'message' in part ? part.message : 'a question';
    const answer = part.decision
      ? `${ANSWERED[part.decision]} by ${part.by ?? 'somebody'}`
      : 'waits for an answer';
    return el('p', attributes, `? ${asks}: ${answer}`);
  }
  switch (part.kind) {
    case 'text':
    case 'reasoning':
      return el('p', attributes, part.text);
    case 'tool': {
      const progress = part.progress?.message ?? '';
      return el('p', attributes, `⚙ ${part.label}: ${part.outcome ?? `runs ${progress}`.trim()}`);
    }
    case 'file':
      return el('p', attributes, `${part.name ?? part.mediaType}: ${part.omitted ?? part.url ?? 'a file'}`);
    case 'source':
      return el('p', attributes, `Source: ${part.title ?? part.url ?? ''}`);
    case 'person':
      return el('p', attributes, `A person: ${part.text}`);
    case 'custom':
      return el('p', attributes, `${part.name}: ${toText(part.data).slice(0, 500)}`);
    default:
      return el('p', part satisfies never);
  }
}

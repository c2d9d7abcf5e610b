import { el } from '../dom/el.js';
import { ApprovalPartView } from './approval.part.js';
import { CustomPartView } from './custom.part.js';
import { QuestionPartView } from './question.part.js';
import { ReasoningPartView } from './reasoning.part.js';
import { TextPartView } from './text.part.js';
import { ToolPartView } from './tool.part.js';

const VIEWS = {
  text: TextPartView,
  reasoning: ReasoningPartView,
  tool: ToolPartView,
  approval: ApprovalPartView,
  interrupt: QuestionPartView,
  'client-tool': QuestionPartView,
  elicitation: QuestionPartView,
  custom: CustomPartView,
};

/** The parts of an answer, in order. Draws only those that changed: an unchanged part is `===` the one drawn before. */
export class PartList {
  element = el('div', { class: 'parts' });
  #actions;
  #drawn = new Map();

  /** @param actions what parts can ask for: `answer(inputId, answer)` */
  constructor(actions) {
    this.#actions = actions;
  }

  update(parts, options) {
    const keys = new Set();
    parts.forEach((part, index) => {
      const key = toKey(part, index);
      keys.add(key);
      this.#draw(key, part, options);
    });
    for (const [key, { view }] of this.#drawn) {
      if (keys.has(key)) continue;
      view.remove();
      this.#drawn.delete(key);
    }
  }

  remove() {
    for (const { view } of this.#drawn.values()) view.remove();
    this.#drawn.clear();
  }

  #draw(key, part, options) {
    const drawn = this.#drawn.get(key) ?? this.#begin(key, part);
    if (!drawn || drawn.part === part) return;
    drawn.part = part;
    drawn.view.update(part, options);
  }

  #begin(key, { kind }) {
    // A server newer than this page may have kinds that it does not know.
    if (!(kind in VIEWS)) return undefined;
    const drawn = { view: new VIEWS[kind](this.#actions) };
    this.#drawn.set(key, drawn);
    this.element.append(drawn.view.element);
    return drawn;
  }
}

function toKey(part, index) {
  switch (part.kind) {
    case 'tool':
      return `tool ${part.toolCallId}`;
    case 'approval':
    case 'interrupt':
    case 'client-tool':
    case 'elicitation':
      return `${part.kind} ${part.inputId}`;
    case 'text':
    case 'reasoning':
      return `${part.kind} ${part.partId}`;
    default:
      return `${part.kind} ${index}`;
  }
}

import { el } from '../dom/el.js';
import { ApprovalPartView } from './approval.part.js';
import { CustomPartView } from './custom.part.js';
import { FilePartView, SourcePartView } from './file.part.js';
import { PersonPartView } from './person.part.js';
import { QuestionPartView } from './question.part.js';
import { ReasoningPartView } from './reasoning.part.js';
import { SubagentGroup } from './subagent.group.js';
import { TextPartView } from './text.part.js';
import { ToolPartView } from './tool.part.js';

const VIEWS = {
  text: TextPartView,
  reasoning: ReasoningPartView,
  file: FilePartView,
  source: SourcePartView,
  tool: ToolPartView,
  approval: ApprovalPartView,
  interrupt: QuestionPartView,
  'client-tool': QuestionPartView,
  elicitation: QuestionPartView,
  person: PersonPartView,
  custom: CustomPartView,
};

/** What a part says that begins what another process goes on with. */
const CONTINUED = {
  restart: 'Continued after a restart',
  takeover: 'Continued by another server',
};

/** The parts of an answer, in order. Draws only those that changed: an unchanged part is `===` the one drawn before. */
export class PartList {
  element = el('div', { class: 'parts' });
  #actions;
  #drawn = new Map();
  /** By the path of an agent inside the run's own. */
  #groups = new Map();

  /** @param actions the actions of parts: `answer(inputId, answer)`, `readForm(inputId)`, `writeForm(inputId, text)`, `fileUrl(fileId)` */
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
    for (const [key, { view, mark }] of this.#drawn) {
      if (keys.has(key)) continue;
      mark?.remove();
      view.remove();
      this.#drawn.delete(key);
    }
    for (const [path, group] of this.#groups) {
      if (!group.isEmpty) continue;
      group.remove();
      this.#groups.delete(path);
    }
  }

  /** Returns the formatted text of the answer, without its controls. */
  toHtml() {
    const texts = [...this.element.querySelectorAll(':scope > .text')].map((text) => text.cloneNode(true));
    for (const text of texts) {
      for (const control of text.querySelectorAll('.code-bar, button')) control.remove();
    }
    return texts.map(({ innerHTML }) => innerHTML).join('\n');
  }

  remove() {
    for (const { view } of this.#drawn.values()) view.remove();
    this.#drawn.clear();
    for (const group of this.#groups.values()) group.remove();
    this.#groups.clear();
  }

  #draw(key, part, options) {
    const drawn = this.#drawn.get(key) ?? this.#begin(key, part);
    if (!drawn || drawn.part === part) return;
    drawn.part = part;
    drawn.view.update(part, options);
  }

  #begin(key, { kind, subagent, continued }) {
    // A server newer than this page may have kinds that it does not know.
    if (!(kind in VIEWS)) return undefined;
    const drawn = { view: new VIEWS[kind](this.#actions) };
    this.#drawn.set(key, drawn);
    if (continued) {
      const text = CONTINUED[continued] ?? 'Continued';
      drawn.mark = el('p', { class: 'continued', 'data-testid': 'continued' }, text);
    }
    (subagent ? this.#group(subagent) : this.element).append(
      ...[drawn.mark, drawn.view.element].filter(Boolean),
    );
    return drawn;
  }

  #group(subagent) {
    const path = subagent.path.join('|');
    const known = this.#groups.get(path);
    if (known) return known;
    const group = new SubagentGroup(subagent);
    this.#groups.set(path, group);
    this.element.append(group.element);
    return group;
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
    case 'file':
    case 'source':
      return `${part.kind} ${part.partId}`;
    case 'person':
      return `person ${part.messageId}`;
    default:
      return `${part.kind} ${index}`;
  }
}

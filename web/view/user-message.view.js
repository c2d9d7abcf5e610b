import { moveFiles, splitText } from '../../events/message-order.js';
import { areSame } from '../chat/attachments.js';
import { el, say, set } from '../dom/el.js';
import { fullTime } from '../dom/format.js';
import { icon } from '../dom/icons.js';
import { AttachmentBar } from './attachment.bar.js';
import { FilePartView } from './file.part.js';
import { MessageEditor } from './message.editor.js';
import { VersionPicker } from './version.picker.js';

/** Number of characters from which a person's message is folded. */
const FOLD = { lines: 24, characters: 2_500 };

/** A person's message, which can be edited, and the versions of its turn. */
export class UserMessageView {
  #entry;
  #actions;
  #picker;
  #edit = el(
    'button',
    {
      type: 'button',
      class: 'quiet edit',
      'aria-label': 'Edit this message',
      title: 'Edit',
      on: { click: () => this.edit() },
    },
    icon('pen'),
  );
  #bubble;
  #editor;
  element;

  /** @param actions `fileUrl(fileId)`, `showVersion(runId, step)`, `readEdit(runId)`, `writeEdit(runId, text)`, `attach(runId, onChange)`, `sendEdit(runId, text, files)` */
  constructor({ text, files = [], createdAt }, actions) {
    this.#actions = actions;
    this.#picker = new VersionPicker(actions.showVersion);
    const shown = splitText(text, files).flatMap((piece) => {
      if ('text' in piece) return showWords(piece.text);
      const view = new FilePartView(actions);
      view.update(piece.file);
      return [view.element];
    });
    this.#bubble = el('div', { class: 'bubble' }, ...shown);
    this.element = el(
      'article',
      {
        class: 'message user',
        'data-testid': 'message',
        'data-role': 'user',
        'aria-label': 'You',
        title: fullTime(createdAt),
      },
      this.#bubble,
      el('div', { class: 'turn-foot' }, this.#picker.element, this.#edit),
    );
  }

  update(entry) {
    if (this.#entry === entry) return;
    this.#entry = entry;
    // What was not sent has no place yet at which another could be put.
    set(this.#edit, 'hidden', !entry.runId);
    this.#picker.update(entry);
  }

  remove() {
    this.element.remove();
  }

  focusVersion(step) {
    this.#picker.focus(step);
  }

  /** Opens the editor with what was written before and not sent, or with the message. */
  edit() {
    const { runId, files: all = [] } = this.#entry;
    if (this.#editor) return this.#editor.focus();
    // What is missing cannot be sent again. The field has line feeds alone.
    const before = all.filter(({ omitted }) => !omitted);
    const text = this.#entry.text.replaceAll(/\r\n?/g, '\n');
    const files = this.#actions.attach(runId, () => {
      this.#editor?.updateFiles();
      this.#keepFiles(files.sent, before);
    });
    const bar = new AttachmentBar(files, (fileId) => this.#actions.fileUrl(fileId));
    bar.offer(files.accepts);
    const kept = this.#actions.readEdit(`${runId}/files`);
    const editor = new MessageEditor(this.#actions.readEdit(runId) || text, bar, {
      type: (words) => this.#actions.writeEdit(runId, words === text ? '' : words),
      send: (words) => {
        const sent = moveFiles(this.#entry.text, words, files.sent);
        this.#close();
        const isSame = words === text.trim() && areSame(sent, before);
        if (!isSame) this.#actions.sendEdit(runId, words, before.length + sent.length > 0 ? sent : undefined);
      },
      cancel: () => {
        this.#close();
        files.clear();
      },
    });
    if (kept) void files.restore(JSON.parse(kept));
    else files.putBack(before);
    this.#editor = editor;
    editor.updateFiles();
    set(this.element, 'data-editing', true);
    this.#bubble.replaceWith(this.#editor.element);
    this.#editor.focus();
  }

  #keepFiles(files, before) {
    const draft = areSame(files, before) ? '' : JSON.stringify(files);
    if (this.#editor) this.#actions.writeEdit(`${this.#entry.runId}/files`, draft);
  }

  #close() {
    this.#actions.writeEdit(this.#entry.runId, '');
    this.#actions.writeEdit(`${this.#entry.runId}/files`, '');
    this.#editor.element.replaceWith(this.#bubble);
    this.#editor = undefined;
    set(this.element, 'data-editing', false);
    this.#edit.focus({ preventScroll: true });
  }
}

function showWords(text) {
  const words = el('p', { dir: 'auto' }, text);
  const folds = text.length > FOLD.characters || text.split('\n', FOLD.lines + 1).length > FOLD.lines;
  return folds ? [words, unfoldButton(words)] : [words];
}

function unfoldButton(words) {
  set(words, 'data-folded', true);
  const button = el('button', { type: 'button', class: 'unfold' }, 'Show all');
  button.addEventListener('click', () => {
    const folded = !words.hasAttribute('data-folded');
    set(words, 'data-folded', folded);
    say(button, folded ? 'Show all' : 'Show less');
  });
  return button;
}

import { el } from '../dom/el.js';
import { isComposing } from '../dom/keys.js';

/** The form in which a message that was sent is changed, in its place, with its files. Enter and Escape do what they do in the composer. */
export class MessageEditor {
  #field = el('textarea', {
    rows: '1',
    dir: 'auto',
    'aria-label': 'Edited message',
    enterkeyhint: 'send',
    autocomplete: 'off',
  });
  #files;
  #send = el('button', { type: 'submit', class: 'primary' }, 'Send');
  element;

  /**
   * @param files an AttachmentBar
   * @param actions `type(text)` after each change, `send(text)`, `cancel()`
   */
  constructor(text, files, { type, send, cancel }) {
    this.#files = files;
    this.element = el(
      'form',
      { class: 'message-editor', 'aria-label': 'Edit message' },
      files.list,
      this.#field,
      el(
        'div',
        { class: 'message-editor-bar' },
        files.button,
        el('button', { type: 'button', on: { click: cancel } }, 'Cancel'),
        this.#send,
      ),
    );
    this.#field.value = text;
    const submit = () => {
      const words = this.#field.value.trim();
      if (this.#isComplete) send(words);
    };
    files.listen(this.element, this.#field);
    this.element.addEventListener('submit', (event) => {
      event.preventDefault();
      submit();
    });
    this.#field.addEventListener('input', () => {
      this.#grow();
      type(this.#field.value);
    });
    this.#field.addEventListener('keydown', (event) => {
      if (isComposing(event)) return;
      if (event.key === 'Escape') cancel();
      else if (event.key === 'Enter' && !event.shiftKey) submit();
      else return;
      event.preventDefault();
      // Escape ends this, and not the answer.
      event.stopPropagation();
    });
  }

  /** Begins to write, at the end of the text. */
  focus() {
    this.#grow();
    this.#field.focus({ preventScroll: true });
    this.#field.setSelectionRange(this.#field.value.length, this.#field.value.length);
  }

  /** Shows the files again, after they have changed. */
  updateFiles() {
    this.#files.update();
    this.#grow();
  }

  get #isComplete() {
    return (this.#field.value.trim() !== '' || !this.#files.isEmpty) && !this.#files.isWaiting;
  }

  #grow() {
    this.#send.disabled = !this.#isComplete;
    this.#field.style.height = 'auto';
    this.#field.style.height = `${this.#field.scrollHeight}px`;
  }
}

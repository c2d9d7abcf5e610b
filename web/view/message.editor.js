import { el } from '../dom/el.js';
import { isComposing } from '../dom/keys.js';

/** The form in which a message that was sent is changed, in its place. Enter and Escape do what they do in the composer. */
export class MessageEditor {
  #field = el('textarea', {
    rows: '1',
    dir: 'auto',
    'aria-label': 'Edited message',
    enterkeyhint: 'send',
    autocomplete: 'off',
  });
  #send = el('button', { type: 'submit', class: 'primary' }, 'Send');
  element;

  /** @param actions `type(text)` after each change, `send(text)`, `cancel()` */
  constructor(text, { type, send, cancel }) {
    this.element = el(
      'form',
      { class: 'message-editor', 'aria-label': 'Edit message' },
      this.#field,
      el(
        'div',
        { class: 'message-editor-bar' },
        el('button', { type: 'button', on: { click: cancel } }, 'Cancel'),
        this.#send,
      ),
    );
    this.#field.value = text;
    const submit = () => {
      const words = this.#field.value.trim();
      if (words !== '') send(words);
    };
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

  #grow() {
    this.#send.disabled = this.#field.value.trim() === '';
    this.#field.style.height = 'auto';
    this.#field.style.height = `${this.#field.scrollHeight}px`;
  }
}

import { el, set } from '../dom/el.js';
import { icon } from '../dom/icons.js';

const IMAGE = /^image\/(png|jpeg|gif|webp|avif)$/;

/** The files of a message that is being written or edited: a button to pick some, and a list of them. They can be pasted and dropped as well. */
export class AttachmentBar {
  #files;
  #fileUrl;
  #field;
  #rows = new Map();
  #input = el('input', {
    type: 'file',
    multiple: true,
    hidden: true,
    tabindex: '-1',
    'data-testid': 'file-input',
  });
  button = el(
    'button',
    {
      type: 'button',
      class: 'quiet attach',
      'aria-label': 'Attach files',
      title: 'Attach files',
      hidden: true,
      'data-testid': 'attach',
    },
    icon('clip'),
  );
  list = el('ul', { class: 'attachments', 'aria-label': 'Files to send', hidden: true });

  /**
   * @param files an Attachments
   * @param fileUrl returns the URL of a file by its id
   */
  constructor(files, fileUrl) {
    this.#files = files;
    this.#fileUrl = fileUrl;
    this.button.append(this.#input);
    this.button.addEventListener('click', (event) => {
      if (event.target !== this.#input) this.#input.click();
    });
    this.#input.addEventListener('change', () => {
      files.add(this.#input.files);
      // The same file can be picked again.
      this.#input.value = '';
    });
  }

  get isEmpty() {
    return this.#files.isEmpty;
  }

  get isWaiting() {
    return this.#files.isWaiting;
  }

  take() {
    return this.#files.take();
  }

  /** Takes what is pasted into a field and dropped on an element. */
  listen(element, field) {
    this.#field = field;
    field.addEventListener('paste', (event) => {
      const { files } = event.clipboardData;
      // Text that was copied with a picture of itself, as from a table, is text.
      if (files.length === 0 || this.button.hidden || event.clipboardData.getData('text/plain')) return;
      event.preventDefault();
      this.#files.add(files);
    });
    const hasFiles = (event) => event.dataTransfer.types.includes('Files') && !this.button.hidden;
    element.addEventListener('dragover', (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      set(element, 'data-dropping', true);
    });
    element.addEventListener('dragleave', () => set(element, 'data-dropping', false));
    element.addEventListener('drop', (event) => {
      set(element, 'data-dropping', false);
      if (!hasFiles(event)) return;
      event.preventDefault();
      this.#files.add(event.dataTransfer.files);
    });
  }

  /** @param accepts media types of files that the agent takes; none hides the button */
  offer(accepts = []) {
    set(this.button, 'hidden', accepts.length === 0);
    set(this.#input, 'accept', accepts.join(','));
  }

  update() {
    const { items } = this.#files;
    set(this.list, 'hidden', items.length === 0);
    const rows = items.map((item) => this.#row(item));
    for (const [key, { element }] of this.#rows) {
      if (items.some((item) => item.key === key)) continue;
      const hadFocus = element.contains(document.activeElement);
      element.remove();
      this.#rows.delete(key);
      if (hadFocus) (this.button.hidden ? this.#field : this.button).focus();
    }
    // In their order, and none is moved that stands where it was.
    rows.forEach((row, index) => {
      if (this.list.children[index] !== row) this.list.insertBefore(row, this.list.children[index] ?? null);
    });
  }

  #row(item) {
    const known = this.#rows.get(item.key);
    if (known?.item === item) return known.element;
    const element = known?.element ?? el('li', { class: 'attachment', 'data-testid': 'attachment' });
    this.#rows.set(item.key, { item, element });
    const state = toState(item);
    if (element.dataset.state === state) element.querySelector('progress').value = item.progress;
    else this.#draw(element, item, state);
    return element;
  }

  #draw(element, item, state) {
    const { key, name, mediaType, bytes, fileId, problem, progress } = item;
    const hadFocus = element.contains(document.activeElement);
    element.dataset.state = state;
    const button = (label, symbol, click) =>
      el(
        'button',
        { type: 'button', class: 'quiet', 'aria-label': label, title: label, on: { click } },
        icon(symbol),
      );
    const remove = button(`Remove ${name}`, 'close', () => this.#files.remove(key));
    element.replaceChildren(
      ...[
        fileId && IMAGE.test(mediaType) && el('img', { src: this.#fileUrl(fileId), alt: '' }),
        el('span', { class: 'attachment-name', dir: 'auto' }, name),
        state === 'sending' && el('progress', { max: '1', value: progress, 'aria-label': `Sending ${name}` }),
        state === 'sent' &&
          bytes !== undefined &&
          el('span', { class: 'attachment-size' }, formatBytes(bytes)),
        problem && el('span', { class: 'attachment-problem' }, problem),
        problem && button(`Try ${name} again`, 'retry', () => this.#files.retry(key)),
        remove,
      ].filter(Boolean),
    );
    if (hadFocus) remove.focus();
  }
}

function toState({ fileId, url, problem }) {
  if (problem) return 'failed';
  return fileId || url ? 'sent' : 'sending';
}

function formatBytes(bytes) {
  if (bytes < 1_024) return `${bytes} B`;
  const [size, unit] = bytes < 1_048_576 ? [bytes / 1_024, 'KB'] : [bytes / 1_048_576, 'MB'];
  return `${size < 10 ? size.toFixed(1) : Math.round(size)} ${unit}`;
}

import { splitText } from '../../events/message-order.js';

/**
 * The files of a message that is being written, or edited. Knows no elements; `onChange` is called after every change.
 *
 * An item is `{ key, name, mediaType, bytes, progress, file?, fileId?, url?, at?, problem? }`. It has a `fileId` once it is on the server, and a `problem` if it
 * could not be sent. A file of an earlier message may have the `url` of another server, and its place in the text. Files are sent one after the other: together they would be refused as too much at a time.
 */
export class Attachments {
  items = [];
  /** Media types of files that the agent takes, and ranges of them. */
  accepts = [];

  #chat;
  #events;
  #keys = 0;
  #sending;

  /** @param events `onChange()`; `say(text)` for screen readers */
  constructor(chat, events) {
    this.#chat = chat;
    this.#events = events;
  }

  /** Returns the files of another message, whose changes are told to somebody else. */
  another(onChange) {
    return new Attachments(this.#chat, { ...this.#events, onChange });
  }

  get isEmpty() {
    return this.items.length === 0;
  }

  /** True if a message cannot be sent yet, or not with all of its files. */
  get isWaiting() {
    return this.items.some((item) => !isSent(item));
  }

  /** The files as a draft keeps them. */
  get sent() {
    return this.items
      .filter(isSent)
      .map(({ fileId, url, name, mediaType, bytes, at }) => ({ fileId, url, name, mediaType, bytes, at }));
  }

  /** @param files of a picker, a paste or a drop */
  add(files) {
    const added = [...files].map((file) => ({
      key: this.#newKey(),
      name: file.name,
      mediaType: file.type || 'application/octet-stream',
      bytes: file.size,
      progress: 0,
      file,
    }));
    if (added.length === 0) return;
    this.items = [...this.items, ...added];
    this.#changed();
    this.#send();
  }

  retry(key) {
    this.#change(key, { problem: undefined, progress: 0 });
    this.#send();
  }

  remove(key) {
    const item = this.items.find((each) => each.key === key);
    this.items = this.items.filter((each) => each !== item);
    if (this.#sending?.key === key) this.#sending.abort.abort();
    // What fails to be removed expires.
    if (item?.fileId) this.#chat.removeUpload(item.fileId).catch(() => {});
    this.#events.say(`${item?.name} is removed.`);
    this.#changed();
  }

  /** Takes the files for a message. Returns those that are on the server. */
  take() {
    const { sent } = this;
    this.clear();
    return sent;
  }

  /** Puts files back that were not sent with a message, before those that were added in the meantime. */
  putBack(files = []) {
    const known = new Set(this.items.map(({ fileId }) => fileId));
    const back = files
      .filter(({ fileId }) => !fileId || !known.has(fileId))
      .map((file) => ({ ...file, key: this.#newKey(), progress: isSent(file) ? 1 : 0, problem: undefined }));
    if (back.length === 0) return;
    this.items = [...back, ...this.items];
    this.#changed();
    this.#send();
  }

  /** Shows the files of a draft, as far as the server still has them. */
  async restore(files) {
    this.clear();
    this.putBack(files);
    for (const { key, fileId } of this.items.filter((item) => item.fileId)) {
      const isThere = await fetch(this.#chat.fileUrl(fileId), { method: 'HEAD' }).then(
        ({ status }) => status !== 404,
        () => true,
      );
      if (isThere) continue;
      this.items = this.items.filter((item) => item.key !== key);
      this.#changed();
    }
  }

  clear() {
    this.#sending?.abort.abort();
    this.items = [];
    this.#changed();
  }

  #send() {
    if (this.#sending) return;
    const next = this.items.find((item) => !isSent(item) && item.problem === undefined);
    if (!next) return;
    const { key, file, name } = next;
    const abort = new AbortController();
    this.#sending = { key, abort };
    this.#chat
      .upload(file, {
        signal: abort.signal,
        onProgress: (progress) => this.#change(key, { progress }),
      })
      .then(
        ({ fileId, mediaType }) => {
          this.#change(key, { fileId, mediaType, progress: 1 });
          this.#events.say(`${name} is attached.`);
        },
        (error) => {
          if (abort.signal.aborted) return;
          this.#change(key, { problem: error.message });
          this.#events.say(`${name} could not be attached. ${error.message}`);
        },
      )
      .finally(() => {
        this.#sending = undefined;
        this.#send();
      });
  }

  #change(key, changes) {
    const index = this.items.findIndex((item) => item.key === key);
    if (index < 0) return;
    this.items = this.items.with(index, { ...this.items[index], ...changes });
    this.#changed();
  }

  #changed() {
    this.#events.onChange();
  }

  #newKey() {
    return `f${++this.#keys}`;
  }
}

/** Returns a message with its files, as the client library takes it. @param files undefined: those of the message that it replaces, if it replaces one */
export function toMessage(text, files) {
  if (!files) return text;
  return splitText(text, files).map((piece) =>
    'text' in piece ? { type: 'text', text: piece.text } : toPart(piece.file),
  );
}

function toPart({ fileId, url, mediaType, name }) {
  return fileId ? { type: 'file', fileId } : { type: 'file', url, mediaType, ...(name && { name }) };
}

function isSent({ fileId, url }) {
  return fileId !== undefined || url !== undefined;
}

/** True if two lists have the same files in the same places. */
export function areSame(files, others) {
  const places = [files, others].map((list) =>
    JSON.stringify(list.map(({ fileId, url, at = 0 }) => [fileId, url, at])),
  );
  return places[0] === places[1];
}

/** The message that is being written, with its files, as the drafts keep it; and those that were not sent. */
export class MessageDraft {
  #drafts;
  #parts;
  /** The text and the files that are not shown until it is known who is there. */
  #hidden;

  /** @param parts `conversation`, `composer` and `attachments` of the page */
  constructor(drafts, parts) {
    this.#drafts = drafts;
    this.#parts = parts;
  }

  save() {
    if (this.#hidden) return;
    const { conversation, composer, attachments } = this.#parts;
    const { unsent, threadId } = conversation;
    const texts = [...unsent.map(({ text }) => text), composer.text].filter((text) => text.trim() !== '');
    this.#drafts.write(threadId, texts.join('\n\n'));
    const files = [...unsent.flatMap(({ files = [] }) => files), ...attachments.sent];
    this.#drafts.write(toFilesPlace(threadId), files.length > 0 ? JSON.stringify(files) : '');
  }

  /** Shows the draft of a thread. Call it before the conversation shows that thread, and the result after. */
  open(threadId) {
    const text = this.#drafts.read(threadId);
    const files = JSON.parse(this.#drafts.read(toFilesPlace(threadId)) || '[]');
    if (this.#hidden) this.#hidden = { text, files };
    else this.#parts.composer.write(text);
    return () => this.#hidden || void this.#parts.attachments.restore(files);
  }

  /** Shows no draft until it is known who is there. It stays stored. */
  hide() {
    const { composer, attachments } = this.#parts;
    this.#hidden = { text: composer.text, files: attachments.items };
    composer.write('');
    attachments.clear();
  }

  /** Shows the draft again that was hidden, before what was typed since. */
  unhide() {
    if (!this.#hidden) return;
    const { text, files } = this.#hidden;
    this.#hidden = undefined;
    this.#parts.attachments.putBack(files);
    this.#parts.composer.insert(text);
  }

  /** Removes the draft of a conversation that has not begun. */
  forgetNew() {
    this.#drafts.write(undefined, '');
    this.#drafts.write(toFilesPlace(undefined), '');
  }

  /** Returns the files of a message that is edited, without any yet. */
  attach(runId, onChange) {
    const { attachments, conversation, composer } = this.#parts;
    const answer = conversation.entries.find(({ role, runId: id }) => role === 'assistant' && id === runId);
    const files = attachments.another(onChange);
    files.accepts = composer.listAccepted(answer?.view.agent);
    return files;
  }

  readEdit(runId) {
    return this.#drafts.read(this.#toEditPlace(runId));
  }

  writeEdit(runId, text) {
    this.#drafts.write(this.#toEditPlace(runId), text);
  }

  /** Removes the forms of requests that a later run of the conversation has closed. */
  forgetClosed(changedId) {
    const { threadId, busy, unsent, open } = this.#parts.conversation;
    // A message that is not sent yet closes nothing.
    if (changedId !== threadId || busy || unsent.length > 0) return;
    this.#drafts.forgetForms(
      threadId,
      open.map(({ part }) => part.inputId),
    );
  }

  /**
   * Opens a message that could not be sent where it was written.
   *
   * @param openEditor opens the editor of the message that it was to replace; false if that is not shown
   */
  async reopen(key, openEditor) {
    const { text, files, replaces } = await this.#parts.conversation.reclaim(key);
    if (replaces) {
      this.writeEdit(replaces, text);
      if (files) this.writeEdit(toFilesPlace(replaces), JSON.stringify(files));
      if (openEditor(replaces)) return;
      this.writeEdit(replaces, '');
      this.writeEdit(toFilesPlace(replaces), '');
    }
    this.putBack([{ text, files }]);
  }

  /** Puts messages back that were not sent. */
  putBack(messages) {
    const texts = messages.map(({ text }) => text).filter((text) => text.trim() !== '');
    this.#parts.attachments.putBack(messages.flatMap(({ files = [] }) => files));
    this.#parts.composer.putBack(texts.join('\n\n'));
  }

  #toEditPlace(runId) {
    return `${this.#parts.conversation.threadId}/${runId}`;
  }
}

function toFilesPlace(threadId = '') {
  return `${threadId}/files`;
}

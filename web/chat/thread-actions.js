import { confirmed } from '../view/confirm.dialog.js';

/** Changes and deletes conversations as a person asks for it. */
export class ThreadActions {
  #parts;
  #events;

  /**
   * @param parts `threads`, `conversation`, `drafts` and `tabs` of the page
   * @param events `changed()`; `failed(error)`
   */
  constructor(parts, events) {
    this.#parts = parts;
    this.#events = events;
  }

  async change(id, change) {
    const { threads, conversation, tabs } = this.#parts;
    try {
      const { title } = await threads.change(id, change);
      tabs.tell(id);
      conversation.rename(id, title);
      this.#events.changed();
    } catch (error) {
      this.#events.failed(error);
    }
  }

  /** Returns true once it is deleted. False: the person did not agree, or it has failed. */
  async remove(thread) {
    const { threads, drafts } = this.#parts;
    const text = `This permanently deletes “${thread.title}”.`;
    const question = { title: 'Delete this conversation?', text, action: 'Delete' };
    try {
      if (!(await confirmed(question))) return false;
      await threads.remove(thread.id);
      drafts.forget(thread.id);
      return true;
    } catch (error) {
      this.#events.failed(error);
      return false;
    }
  }
}

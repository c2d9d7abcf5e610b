import { newIdempotencyKey } from '../../client/idempotency-key.js';

/**
 * Messages that wait for the end of the run, each `{ key, text, files?, agent, replaces?, isAgain?, steered? }`. What did not change stays `===`.
 *
 * One can be sent to the run that goes on: it is `steered`, with its `{ runId, id }` on the server, until the run's view has it or the run has ended without it.
 */
export class MessageQueue {
  items = [];
  #newKey;
  #chat;
  #onChange;
  #view;

  /**
   * @param newKey returns a key that no other has
   * @param chat a ChatService
   * @param onChange called after each change by `withdraw` and `steer`
   */
  constructor(newKey, chat, onChange) {
    this.#newKey = newKey;
    this.#chat = chat;
    this.#onChange = onChange;
  }

  add(message) {
    this.items = [...this.items, { ...message, key: this.#newKey() }];
  }

  /** Takes out the message of a key, or the first. Undefined: it is not there. */
  take(key = this.items[0]?.key) {
    const taken = this.#find(key);
    this.items = this.items.filter((message) => message !== taken);
    return taken;
  }

  /** Takes out a message. Resolves with undefined if a run has it, or if that is not known. */
  async withdraw(key) {
    const { steered } = this.#find(key) ?? {};
    try {
      if (steered) await this.#chat.withdraw(steered.runId, steered.id);
    } catch {
      // The run has taken it, and shows it soon; or the request was lost, and the button is still there.
      return undefined;
    }
    const taken = this.take(key);
    this.#onChange();
    return taken;
  }

  /** Sends a message to the run that goes on. If the run takes none, the message waits as before. */
  async steer(key, runId) {
    const { text, steered } = this.#find(key) ?? {};
    if (steered || text === undefined) return;
    const id = newIdempotencyKey();
    this.#change(key, { steered: { runId, id } });
    this.#onChange();
    try {
      const { messageId } = await this.#chat.steer(runId, text, { id });
      this.#change(key, { steered: { runId, id, messageId } });
      // It may have been faster than the reply.
      if (this.#view) this.see(this.#view);
    } catch {
      this.#change(key, { steered: undefined });
    }
    this.#onChange();
  }

  /** Learns the view of the run that goes on: removes the messages that it has. */
  see(view) {
    this.#view = view;
    const ended = view.status !== 'pending' && view.status !== 'running';
    for (const { key, steered } of this.items) {
      if (!steered || steered.runId !== view.runId) continue;
      const isTaken = view.parts.some(({ messageId }) => messageId && messageId === steered.messageId);
      if (isTaken) this.take(key);
      else if (ended) this.#change(key, { steered: undefined });
    }
  }

  clear() {
    this.items = [];
  }

  #find(key) {
    return this.items.find((message) => message.key === key);
  }

  #change(key, change) {
    this.items = this.items.map((message) => (message.key === key ? { ...message, ...change } : message));
  }
}

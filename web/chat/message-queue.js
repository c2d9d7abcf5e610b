import { newIdempotencyKey } from '../../client/idempotency-key.js';

/** Wait before a message is sent to a run again whose first request got no answer. It doubles, up to the longest. */
const RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;

/**
 * Messages that wait for the end of the run, each `{ key, text, files?, agent, replaces?, isAgain?, steered? }`. What did not change stays `===`.
 *
 * One can be sent to the run that goes on: it is `steered`, with its `{ runId, id }` on the server, until the run's view has it or the run has ended without it.
 * It has a `messageId` as well once the server is known to have it.
 */
export class MessageQueue {
  items = [];
  #newKey;
  #chat;
  #onChange;
  #onLate;
  /** The last view of each run that was seen, by its id. */
  #views = new Map();

  /**
   * @param newKey returns a key that no other has
   * @param chat a ChatService
   * @param onChange called after each change by `withdraw` and `steer`
   * @param onLate called when the queue could not be sent after a complete answer, and can be now
   */
  constructor(newKey, chat, onChange, onLate) {
    this.#newKey = newKey;
    this.#chat = chat;
    this.#onChange = onChange;
    this.#onLate = onLate;
  }

  /** True if the first may be sent: it is known whether a run has it. */
  get isReady() {
    return this.items.length > 0 && !this.items[0].steered;
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
    const isAsked = () => this.#find(key)?.steered?.id === id;
    this.#change(key, { steered: { runId, id } });
    this.#onChange();
    for (let wait = RETRY_MS; isAsked(); wait = Math.min(2 * wait, LONGEST_RETRY_MS)) {
      try {
        const { messageId } = await this.#chat.steer(runId, text, { id });
        if (isAsked()) this.#change(key, { steered: { runId, id, messageId } });
        break;
      } catch ({ status = 0 }) {
        // The server may have it, whatever became of its answer. It takes a message of the same id once.
        if (status === 0 || status >= 500) await new Promise((resolve) => setTimeout(resolve, wait));
        else if (isAsked()) this.#change(key, { steered: undefined });
      }
    }
    const view = this.#views.get(runId);
    // The run may have been faster than the reply.
    if (view) this.see(view);
    this.#onChange();
    if (view?.status === 'completed') this.#onLate();
  }

  /** Learns the view of a run: removes the messages that it has. */
  see(view) {
    this.#views.set(view.runId, view);
    const ended = view.status !== 'pending' && view.status !== 'running';
    for (const { key, steered } of this.items) {
      if (!steered || steered.runId !== view.runId) continue;
      const isTaken = view.parts.some(({ messageId }) => messageId && messageId === steered.messageId);
      if (isTaken) this.take(key);
      // Before the reply, it may be one of those that the view has.
      else if (ended && steered.messageId) this.#change(key, { steered: undefined });
    }
  }

  clear() {
    this.items = [];
    this.#views.clear();
  }

  #find(key) {
    return this.items.find((message) => message.key === key);
  }

  #change(key, change) {
    this.items = this.items.map((message) => (message.key === key ? { ...message, ...change } : message));
  }
}

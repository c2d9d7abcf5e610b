/** Messages that wait for the end of the run, each `{ key, text, files?, agent, replaces?, isAgain? }`. What did not change stays `===`. */
export class MessageQueue {
  items = [];
  #newKey;

  /** @param newKey returns a key that no other has */
  constructor(newKey) {
    this.#newKey = newKey;
  }

  add(message) {
    this.items = [...this.items, { ...message, key: this.#newKey() }];
  }

  /** Takes out the message of a key, or the first. Undefined: it is not there. */
  take(key = this.items[0]?.key) {
    const taken = this.items.find((message) => message.key === key);
    this.items = this.items.filter((message) => message !== taken);
    return taken;
  }

  clear() {
    this.items = [];
  }
}

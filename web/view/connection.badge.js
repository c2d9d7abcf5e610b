import { sentence } from '../chat/sentences.js';
import { el, say, set } from '../dom/el.js';
import { everyTick } from '../chat/clock.js';

/** Shows the state of the current run's stream: a dot, and a word if there is something to say. */
export class ConnectionBadge {
  #dot = el('span', { class: 'dot', 'aria-hidden': 'true' });
  #text = el('span');
  element = el(
    'span',
    { class: 'connection', 'data-testid': 'connection', 'data-state': 'idle' },
    this.#dot,
    this.#text,
  );
  #connection;
  #retryAt = 0;
  #stopTicking = () => {};

  constructor() {
    for (const change of ['online', 'offline']) addEventListener(change, () => this.#show());
  }

  /** @param connection undefined when nothing is being followed */
  update(connection) {
    if (connection === this.#connection) return;
    this.#connection = connection;
    this.#stopTicking();
    if (connection?.retryInMs !== undefined) {
      this.#retryAt = Date.now() + connection.retryInMs;
      this.#stopTicking = everyTick(() => this.#show());
    }
    this.#show();
  }

  #show() {
    const state = navigator.onLine ? (this.#connection?.state ?? 'idle') : 'offline';
    set(this.element, 'data-state', state);
    say(this.#text, this.#words(state));
  }

  #words(state) {
    switch (state) {
      case 'offline':
        return 'Offline';
      case 'connecting':
      case 'paused':
        return 'Connecting…';
      case 'live':
        return 'Live';
      case 'reconnecting': {
        const seconds = Math.ceil((this.#retryAt - Date.now()) / 1000);
        const counts = this.#connection.retryInMs !== undefined && seconds > 0;
        const words = counts ? `Reconnecting in ${seconds} s` : 'Reconnecting…';
        const { error } = this.#connection;
        return error ? `${sentence(error)} ${words}` : words;
      }
      case 'failed':
        return 'Not connected';
      default:
        return '';
    }
  }
}

import { el, say, set } from './el.js';
import { icon } from './icons.js';

const PLACE = 'notifications';
const NONE = 'This device shows no notifications of web pages.';
const BLOCKED = 'The browser blocks notifications of this page. Allow them in its settings.';

/** Notifies by the system, for who has chosen so, when a conversation is answered or needs a person while the page is out of sight. */
export class Notifier {
  #actions;
  /** The conversations as they were. Undefined before the first look. */
  #before;
  #button = el(
    'button',
    { type: 'button', class: 'quiet', 'data-testid': 'notifications', on: { click: () => this.#toggle() } },
    icon('bell'),
  );
  /** The reason why there are none, for all to see. */
  #note = el('p', { class: 'foot-note', hidden: true, 'data-testid': 'notifications-note' });
  element = el('span', { class: 'notifications' }, this.#button, this.#note);

  /** @param actions `open(threadId)`, `say(text)` */
  constructor(actions) {
    this.#actions = actions;
    // Only pages that came by a safe connection may notify.
    set(this.#button, 'hidden', !('Notification' in window) || !isSecureContext);
    this.#show();
  }

  /** The person's choice, unless they have taken it back in the browser. */
  get isOn() {
    try {
      return Notification.permission === 'granted' && localStorage.getItem(PLACE) === 'on';
    } catch {
      return false;
    }
  }

  /** Compares the conversations with those before. @param lists of conversations */
  update(...lists) {
    const now = new Map(lists.flat().map((thread) => [thread.id, thread]));
    for (const thread of now.values()) {
      const before = this.#before?.get(thread.id);
      const reason = this.#before && getReason(before, thread);
      if (reason && document.hidden && this.isOn) this.#notify(thread, reason);
    }
    // A conversation may leave a list and come back.
    this.#before = new Map([...(this.#before ?? []), ...now]);
  }

  #notify({ id, title }, body) {
    try {
      // Several tabs notify once, because the tag is the same.
      const shown = new Notification(title || 'Conversation', { body, tag: id });
      shown.addEventListener('click', () => {
        window.focus();
        this.#actions.open(id);
        shown.close();
      });
    } catch {
      remember(false);
      this.#explain(NONE);
      this.#show();
    }
  }

  async #toggle() {
    this.#explain('');
    if (isImpossible()) return this.#explain(NONE);
    if (this.isOn) {
      remember(false);
      this.#actions.say('Notifications are off.');
    } else if ((await Notification.requestPermission()) === 'granted') {
      remember(true);
      this.#actions.say('Notifications are on.');
    } else this.#explain(BLOCKED);
    this.#show();
  }

  #explain(reason) {
    set(this.#note, 'hidden', reason === '');
    say(this.#note, reason);
    if (reason) this.#actions.say(reason);
  }

  #show() {
    const label = 'Notify me when this page is hidden';
    set(this.#button, 'aria-pressed', String(this.isOn));
    set(this.#button, 'aria-label', label);
    set(this.#button, 'title', `${label}: ${this.isOn ? 'on' : 'off'}`);
  }
}

/**
 * True on devices on which only a service worker may notify, as phones with Android. They show it by an error; other browsers show nothing
 * as long as the person has not allowed it.
 */
function isImpossible() {
  if (Notification.permission === 'granted') return false;
  try {
    new Notification('').close();
    return false;
  } catch (error) {
    return error instanceof TypeError;
  }
}

/** Returns the words for what is new in a conversation; undefined if nothing is. */
function getReason(before = {}, { waiting, unread }) {
  if (waiting) return before.waiting ? undefined : 'Needs your decision.';
  return unread && !before.unread ? 'The answer is ready.' : undefined;
}

function remember(on) {
  try {
    if (on) localStorage.setItem(PLACE, 'on');
    else localStorage.removeItem(PLACE);
  } catch {
    // A browser that keeps nothing asks again.
  }
}

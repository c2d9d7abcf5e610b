import { el, set } from './el.js';
import { icon } from './icons.js';

const PLACE = 'notifications';

/** Notifies by the system, for who has chosen so, when a conversation is answered or needs a person while the page is out of sight. */
export class Notifier {
  #actions;
  /** The conversations as they were. Undefined before the first look. */
  #before;
  element = el(
    'button',
    { type: 'button', class: 'quiet', 'data-testid': 'notifications', on: { click: () => this.#toggle() } },
    icon('bell'),
  );

  /** @param actions `open(threadId)`, `say(text)` */
  constructor(actions) {
    this.#actions = actions;
    // Only pages that came by a safe connection may notify.
    set(this.element, 'hidden', !('Notification' in window) || !isSecureContext);
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
      // Phones want a service worker for it.
    }
  }

  async #toggle() {
    if (this.isOn) {
      remember(false);
      this.#actions.say('Notifications are off.');
    } else if ((await Notification.requestPermission()) === 'granted') {
      remember(true);
      this.#actions.say('Notifications are on.');
    } else this.#actions.say('The browser blocks notifications of this page. Allow them in its settings.');
    this.#show();
  }

  #show() {
    const label = 'Notify me when this page is hidden';
    set(this.element, 'aria-pressed', String(this.isOn));
    set(this.element, 'aria-label', label);
    set(this.element, 'title', `${label}: ${this.isOn ? 'on' : 'off'}`);
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

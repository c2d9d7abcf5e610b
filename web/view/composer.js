import { el, say, set } from '../dom/el.js';
import { words } from '../dom/format.js';
import { icon } from '../dom/icons.js';

const AGENT_KEY = 'agent';
const MOST_PX = 240;

/** The form in which a question is written. While an answer is being written, the send button is a stop button. */
export class Composer {
  #onSend;
  #onStop;
  #phase = 'idle';
  #input = el('textarea', {
    id: 'question',
    rows: '1',
    placeholder: 'Ask something…',
    'aria-label': 'Your question',
    'aria-describedby': 'composer-hint',
    'data-testid': 'composer',
    enterkeyhint: 'send',
    autocomplete: 'off',
  });
  #agent = el('select', { 'aria-label': 'Agent', hidden: true, 'data-testid': 'agent' });
  #send = el(
    'button',
    { type: 'submit', class: 'send', 'aria-label': 'Send', title: 'Send (Enter)', 'data-testid': 'send' },
    icon('send'),
  );
  #stop = el(
    'button',
    {
      type: 'button',
      class: 'send stop',
      'aria-label': 'Stop the answer',
      title: 'Stop (Esc)',
      'data-testid': 'stop',
      hidden: true,
    },
    icon('stop'),
  );
  #hint = el('span', { id: 'composer-hint', class: 'hint' });
  element = el(
    'form',
    { class: 'composer', 'aria-label': 'Ask' },
    el(
      'div',
      { class: 'composer-box' },
      this.#input,
      el('div', { class: 'composer-bar' }, this.#agent, this.#hint, this.#stop, this.#send),
    ),
  );

  /** @param on `send(text, agent)`, `stop()` */
  constructor({ send, stop }) {
    this.#onSend = send;
    this.#onStop = stop;
    this.element.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#input.addEventListener('input', () => this.#grow());
    this.#input.addEventListener('keydown', (event) => {
      // While an input method is composing, Enter chooses a word.
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#submit();
    });
    this.#stop.addEventListener('click', () => this.#onStop());
    this.#agent.addEventListener('change', () => remember(this.#agent.value));
    this.update('idle');
  }

  update(phase) {
    // Not one that was tapped: on a touch screen the focus would bring up the keyboard.
    const reached = [this.#send, this.#stop].find((button) => button.matches(':focus-visible'));
    const running = phase === 'starting' || phase === 'running' || phase === 'stopping';
    this.#phase = phase;
    set(this.#send, 'hidden', running);
    set(this.#stop, 'hidden', !running);
    this.#stop.disabled = phase === 'stopping';
    say(this.#hint, running ? 'Esc stops' : 'Enter to send, Shift+Enter for a new line');
    this.#grow();
    // The button under a keyboard user's focus has just gone.
    if (reached?.hidden || reached?.disabled) this.focus();
  }

  /** The agents to choose from; a single one leaves no choice. */
  offer({ items, default: standard }) {
    this.#agent.replaceChildren(
      ...items.map(({ name, description }) => el('option', { value: name, title: description }, words(name))),
    );
    const wanted = remembered();
    this.#agent.value = items.some(({ name }) => name === wanted) ? wanted : (standard ?? '');
    set(this.#agent, 'hidden', items.length < 2);
  }

  get agent() {
    return this.#agent.hidden ? undefined : this.#agent.value;
  }

  focus() {
    this.#input.focus({ preventScroll: true });
  }

  #submit() {
    const text = this.#input.value.trim();
    if (text === '' || this.#phase !== 'idle') return;
    this.#input.value = '';
    this.#grow();
    this.#onSend(text, this.agent);
  }

  #grow() {
    this.#send.disabled = this.#phase !== 'idle' || this.#input.value.trim() === '';
    this.#input.style.height = 'auto';
    this.#input.style.height = `${Math.min(this.#input.scrollHeight, MOST_PX)}px`;
  }
}

function remember(agent) {
  try {
    localStorage.setItem(AGENT_KEY, agent);
  } catch {
    // Then it is chosen again next time.
  }
}

function remembered() {
  try {
    return localStorage.getItem(AGENT_KEY);
  } catch {
    return null;
  }
}

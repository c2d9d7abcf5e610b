import { el, say, set } from '../dom/el.js';
import { words } from '../dom/format.js';
import { icon } from '../dom/icons.js';
import { isComposing } from '../dom/keys.js';
import { OpenRequests } from './open.requests.js';
import { QueueList } from './queue.list.js';

const AGENT_KEY = 'agent';
const MOST_PX = 240;

/** The form for a message, with the open decisions and the queue above it. Messages wait in the queue while an answer is being written. */
export class Composer {
  #actions;
  #phase = 'idle';
  #requests;
  #queue;
  #input = el('textarea', {
    id: 'question',
    rows: '1',
    dir: 'auto',
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
  element;

  #files;

  /**
   * @param actions `send(text, agent, files)`, `stop()`, `type()` after each change of the text, `offer(agent)` after each choice of an agent, and those of the requests and of the queue
   * @param files an AttachmentBar
   */
  constructor(actions, files) {
    this.#actions = actions;
    this.#files = files;
    this.#requests = new OpenRequests(actions);
    this.#queue = new QueueList(actions);
    const bar = el(
      'div',
      { class: 'composer-bar' },
      files.button,
      this.#agent,
      this.#hint,
      this.#stop,
      this.#send,
    );
    this.element = el(
      'form',
      { class: 'composer', 'aria-label': 'Ask' },
      this.#requests.element,
      this.#queue.element,
      el('div', { class: 'composer-box' }, files.list, this.#input, bar),
    );
    files.listen(this.element, this.#input);
    this.element.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#input.addEventListener('input', () => this.#changed());
    this.#input.addEventListener('keydown', (event) => {
      // While an input method is composing, Enter chooses a word.
      if (event.key !== 'Enter' || event.shiftKey || isComposing(event)) return;
      event.preventDefault();
      this.#submit();
    });
    this.#stop.addEventListener('click', () => actions.stop());
    this.#agent.addEventListener('change', () => {
      remember(this.#agent.value);
      this.#chosen();
    });
    this.update({ phase: 'idle', queue: [], open: [] });
  }

  update({ phase, queue, open, elsewhere, agent }) {
    // Not one that was tapped: on a touch screen the focus would bring up the keyboard.
    const reached = [this.#send, this.#stop].find((button) => button.matches(':focus-visible'));
    const running = phase === 'starting' || phase === 'running' || phase === 'stopping';
    this.#phase = phase;
    this.#requests.update(open);
    const { isSteerable = false } = this.#agents.find(({ name }) => name === agent) ?? {};
    const steers = phase === 'running' && isSteerable;
    this.#queue.update(queue, { idle: phase === 'idle' && !elsewhere, steers });
    set(this.#stop, 'hidden', !running);
    this.#stop.disabled = phase === 'stopping';
    set(this.#send, 'aria-label', running ? 'Send after the answer' : 'Send');
    set(this.#send, 'title', running ? 'Send after the answer (Enter)' : 'Send (Enter)');
    say(
      this.#hint,
      running ? 'Enter to send after the answer, Esc to stop' : 'Enter to send, Shift+Enter for a new line',
    );
    this.#grow();
    // The button under a keyboard user's focus has just gone.
    if (reached?.hidden || reached?.disabled) this.focus();
  }

  /** The agents to choose from; a single one leaves no choice. */
  offer({ items, default: standard }) {
    this.#agent.replaceChildren(
      ...items.map(({ name, description }) => el('option', { value: name, title: description }, words(name))),
    );
    this.#standard = standard;
    this.#agents = items;
    set(this.#agent, 'hidden', items.length < 2);
    this.choose(this.#wanted);
  }

  #standard;
  #agents = [];
  #wanted;

  /** @param agent the agent of the thread; undefined for the one chosen last */
  choose(agent) {
    this.#wanted = agent;
    const names = [...this.#agent.options].map(({ value }) => value);
    this.#agent.value = [agent, remembered()].find((name) => names.includes(name)) ?? this.#standard ?? '';
    this.#chosen();
  }

  /** Shows the files again, after they have changed. */
  updateFiles() {
    this.#files.update();
    this.#grow();
  }

  /** Lists the types of files that an agent takes. Undefined: none. */
  listAccepted(agent) {
    return this.#agents.find(({ name }) => name === agent)?.accepts;
  }

  #chosen() {
    const chosen = this.agent ?? this.#standard;
    const { description, accepts, suggestions } = this.#agents.find(({ name }) => name === chosen) ?? {};
    set(this.#agent, 'title', description);
    this.#files.offer(accepts);
    this.#actions.offer({ suggestions, ...(!this.#agent.hidden && { description }) });
  }

  get agent() {
    return this.#agent.hidden ? undefined : this.#agent.value;
  }

  get text() {
    return this.#input.value;
  }

  /** Shows another text. */
  write(text) {
    this.#input.value = text;
    this.#grow();
  }

  /** Puts a text back, before what was typed in the meantime. */
  putBack(text) {
    this.insert(text);
    this.focus();
  }

  /** Shows a text before what is there. */
  insert(text) {
    this.write([text, this.text].filter((each) => each.trim() !== '').join('\n\n'));
    this.#actions.type();
  }

  focus() {
    this.#input.focus({ preventScroll: true });
  }

  /** Focuses the field where there are keys. A touch screen would bring up its own over what is to be read. */
  focusByKeys() {
    if (matchMedia('(pointer: fine)').matches) this.focus();
  }

  #submit() {
    const text = this.#input.value.trim();
    if ((text === '' && this.#files.isEmpty) || this.#phase === 'loading' || this.#files.isWaiting) return;
    this.#input.value = '';
    const files = this.#files.take();
    this.#grow();
    this.#actions.send(text, this.agent, files.length > 0 ? files : undefined);
  }

  #changed() {
    this.#grow();
    this.#actions.type();
  }

  #grow() {
    const isEmpty = this.#input.value.trim() === '' && this.#files.isEmpty;
    this.#send.disabled = this.#phase === 'loading' || isEmpty || this.#files.isWaiting;
    // While an answer is being written, the stop button takes this place until there is something to send.
    set(this.#send, 'hidden', isEmpty && !this.#stop.hidden);
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

import { el, say, set } from '../dom/el.js';
import { icon } from '../dom/icons.js';
import { Drawer } from './drawer.js';
import { themeButton } from './theme.button.js';

/** The frame of the page: the side bar, which is a drawer on a narrow screen, and the bar above the conversation. */
export class Shell {
  #needed = el('span', { class: 'badge', hidden: true });
  #title = el('h1', { class: 'topbar-title', hidden: true });
  #menu = el(
    'button',
    { type: 'button', class: 'quiet menu', 'aria-label': 'Conversations', 'aria-controls': 'sidebar' },
    icon('menu'),
    this.#needed,
  );
  #signOut = el(
    'button',
    { type: 'button', class: 'quiet', 'aria-label': 'Sign out', title: 'Sign out', hidden: true },
    icon('exit'),
  );
  #mark = el('img', { alt: '', width: '26', height: '26' });
  #name = el('span', { class: 'brand-name' });
  #person = el('span', { class: 'who-name' });
  #who = el('div', { class: 'who', hidden: true, 'data-testid': 'who' }, this.#person, this.#signOut);
  #foot = el('div', { class: 'sidebar-end' }, this.#who, buildFoot());
  #drawer;

  /**
   * @param actions `startNew()`, `signOut()`
   * @param parts elements: `badge`, for the bar above; `main`, a list
   */
  constructor(actions, { badge, main }) {
    const sidebar = document.getElementById('sidebar');
    sidebar.append(this.#buildBrand(), buildStart(actions), this.#foot);
    document.getElementById('topbar').append(this.#menu, this.#title, badge);
    document.getElementById('main').append(...main);
    this.#signOut.addEventListener('click', () => actions.signOut());
    this.#drawer = new Drawer({
      panel: sidebar,
      backdrop: document.getElementById('backdrop'),
      rest: document.querySelector('.stage'),
      button: this.#menu,
    });
  }

  /** Adds the conversations to the side bar. */
  addThreads(elements) {
    this.#foot.before(...elements);
  }

  /** Adds a part beside the conversation. */
  addPanel(element) {
    document.querySelector('.app').append(element);
  }

  /** @param title of the conversation; nothing: there is none */
  showTitle(title) {
    say(this.#title, title);
    set(this.#title, 'hidden', title === '');
  }

  /** Shows how many conversations need the person, for the time in which the side bar is out of sight. */
  showNeeded(count) {
    set(this.#needed, 'hidden', count === 0);
    say(this.#needed, String(count));
    set(this.#menu, 'aria-label', count > 0 ? `Conversations, ${count} need you` : 'Conversations');
  }

  /** Adds a button to the foot of the side bar. */
  addToFoot(element) {
    this.#foot.querySelector('.spring').after(element);
  }

  /** @param brand `{ name, logo }` */
  showBrand({ name, logo }) {
    say(this.#name, name);
    set(this.#mark, 'src', logo);
  }

  /** Shows who is signed in. Without authentication, everybody is the same. @param session of the server */
  showPerson({ kind, principal, name }) {
    set(this.#who, 'hidden', kind === 'local' || !principal);
    set(this.#signOut, 'hidden', kind !== 'credentials');
    say(this.#person, name ?? principal?.userId ?? '');
    set(this.#person, 'title', principal && `${principal.userId}, ${principal.tenant}`);
  }

  closeDrawer() {
    this.#drawer.close();
  }

  #buildBrand() {
    const close = el(
      'button',
      {
        type: 'button',
        class: 'quiet drawer-close',
        'aria-label': 'Close',
        on: { click: () => this.closeDrawer() },
      },
      icon('close'),
    );
    return el('div', { class: 'brand' }, this.#mark, this.#name, close);
  }
}

function buildFoot() {
  return el(
    'div',
    { class: 'sidebar-foot' },
    el('a', { href: 'runs' }, 'Runs'),
    el('a', { href: 'docs' }, 'API'),
    el('span', { class: 'spring' }),
    themeButton(),
  );
}

function buildStart({ startNew }) {
  return el(
    'button',
    {
      type: 'button',
      class: 'new-thread',
      'data-testid': 'new-thread',
      title: 'New conversation (Alt+N)',
      'aria-keyshortcuts': 'Alt+N',
      on: { click: startNew },
    },
    icon('plus'),
    'New conversation',
  );
}

/** Names the tab after a conversation, with the number of conversations that wait for a decision, or a dot if any has a new answer. */
export function nameTab(title, { page, waiting, hasNews }) {
  const sign = waiting > 0 ? `(${waiting}) ` : hasNews ? '● ' : '';
  document.title = `${sign}${title ? `${title} – ${page}` : page}`;
}

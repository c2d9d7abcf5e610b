import { ChatService } from '../client/index.js';
import { Conversation } from './chat/conversation.js';
import { Narration } from './chat/narration.js';
import { sentence } from './chat/sentences.js';
import { Threads } from './chat/threads.js';
import { Announcer } from './dom/announcer.js';
import { el, say, set } from './dom/el.js';
import { icon } from './dom/icons.js';
import { Composer } from './view/composer.js';
import { confirmed } from './view/confirm.dialog.js';
import { ConnectionBadge } from './view/connection.badge.js';
import { ConversationPane } from './view/conversation.pane.js';
import { Drawer } from './view/drawer.js';
import { SignIn } from './view/sign-in.js';
import { themeButton } from './view/theme.button.js';
import { ThreadList } from './view/thread.list.js';

const NAME = 'Agent Stream';

let drawing = false;

// What the page knows.
const chat = new ChatService({ baseUrl: 'api/chat' });
const announcer = new Announcer(document.getElementById('announcer'));
const narration = new Narration();
const signIn = new SignIn(chat);
const threads = new Threads(chat, { onChange: threadsChanged, onSignIn: askSignIn });
const conversation = new Conversation(chat, {
  onChange: draw,
  onThreads: () => threads.refresh(),
  onThreadStart: (threadId) => history.pushState(null, '', `?thread=${encodeURIComponent(threadId)}`),
  onSnapshot: (before, after) => announcer.say(...narration.step(before, after)),
  onSignIn: askSignIn,
});

// What the page shows.
const composer = new Composer({ send: ask, stop: () => conversation.stop() });
const badge = new ConnectionBadge();
const pane = new ConversationPane({
  ask: (question) => conversation.busy || ask(question, composer.agent),
  retry: askAgain,
  reconnect: (key) => conversation.reconnect(key),
  answer: (key, inputId, answer) => conversation.answer(key, inputId, answer),
  earlier: showEarlier,
  startNew,
});
const list = new ThreadList({ open: show, remove: removeThread, more: () => threads.more().catch(complain) });
const title = el('h1', { class: 'topbar-title', hidden: true });
const menu = el(
  'button',
  { type: 'button', class: 'quiet menu', 'aria-label': 'Conversations', 'aria-controls': 'sidebar' },
  icon('menu'),
);
const signOut = el(
  'button',
  { type: 'button', class: 'quiet', 'aria-label': 'Sign out', title: 'Sign out', hidden: true },
  icon('exit'),
);
const sidebar = document.getElementById('sidebar');
const drawer = new Drawer({
  panel: sidebar,
  backdrop: document.getElementById('backdrop'),
  rest: document.querySelector('.stage'),
  button: menu,
});

build();
visit(location);
void meet();

function build() {
  const startButton = el(
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
  const mark = el('img', { src: 'assets/icon.svg', alt: '', width: '26', height: '26' });
  const closeButton = el(
    'button',
    {
      type: 'button',
      class: 'quiet drawer-close',
      'aria-label': 'Close',
      on: { click: () => drawer.close() },
    },
    icon('close'),
  );
  sidebar.append(
    el('div', { class: 'brand' }, mark, el('span', {}, NAME), closeButton),
    startButton,
    list.element,
    el(
      'div',
      { class: 'sidebar-foot' },
      el('a', { href: 'docs' }, 'API'),
      el('span', { class: 'spring' }),
      signOut,
      themeButton(),
    ),
  );
  document.getElementById('topbar').append(menu, title, badge.element);
  document.getElementById('main').append(pane.element, composer.element);
  signOut.addEventListener('click', () =>
    chat.signOut().then(() => location.assign(location.pathname), complain),
  );
  addEventListener('popstate', () => visit(location));
  addEventListener('keydown', shortcut);
}

/** Draws at most once per frame, however many events came. A hidden page draws when it is seen again. */
function draw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    pane.update(conversation);
    composer.update(conversation.phase);
    list.update({
      threads: threads.items,
      current: conversation.threadId,
      hasMore: Boolean(threads.nextCursor),
      note: threads.note,
    });
    const connection = conversation.entries.findLast(({ role }) => role === 'assistant')?.connection;
    badge.update(connection?.state === 'ended' ? undefined : connection);
    say(title, conversation.title ?? '');
    set(title, 'hidden', !conversation.title);
    document.title = conversation.title ? `${conversation.title} – ${NAME}` : NAME;
  });
}

function threadsChanged() {
  const { threadId, phase } = conversation;
  const runId = threads.items.find(({ id }) => id === threadId)?.activeRunId;
  // Somebody asked in another window.
  if (runId && phase === 'idle' && !conversation.shows(runId)) void conversation.open(threadId);
  draw();
}

/** Shows what the address names. */
function visit({ search }) {
  announcer.hush();
  const threadId = new URLSearchParams(search).get('thread');
  if (threadId) void conversation.open(threadId);
  else conversation.clear();
  pane.toEnd();
}

function show(threadId) {
  drawer.close();
  if (threadId !== conversation.threadId)
    history.pushState(null, '', `?thread=${encodeURIComponent(threadId)}`);
  visit(location);
  focusComposer();
}

function startNew() {
  drawer.close();
  if (location.search) history.pushState(null, '', location.pathname);
  visit(location);
  composer.focus();
}

function ask(question, agent) {
  void conversation.send(question, agent);
  attend();
}

function askAgain(key) {
  if (conversation.busy) return;
  void conversation.retry(key);
  attend();
}

/** Shows the end of the conversation and focuses the composer after a question was asked. */
function attend() {
  pane.toEnd();
  focusComposer();
}

function showEarlier() {
  conversation.showEarlier().then(() => pane.keepingPlace(() => pane.update(conversation)), complain);
}

async function removeThread(thread) {
  const text = `This permanently deletes “${thread.title}”.`;
  if (!(await confirmed({ title: 'Delete this conversation?', text, action: 'Delete' }))) return;
  try {
    await threads.remove(thread.id);
    announcer.say('The conversation is deleted.');
    if (thread.id === conversation.threadId) startNew();
  } catch (error) {
    complain(error);
  }
}

/** Looks who we are and who there is to ask. */
async function meet() {
  try {
    const { kind, principal } = await chat.session();
    if (kind === 'credentials' && !principal) return askSignIn();
    set(signOut, 'hidden', kind !== 'credentials');
    composer.offer(await chat.agents());
  } catch (error) {
    if (error.needsSignIn) return askSignIn();
    announcer.say(sentence(error));
  }
  void threads.refresh();
}

async function askSignIn() {
  await signIn.ask();
  const failed = conversation.problem || conversation.entries.some(({ problem }) => problem);
  if (failed && conversation.threadId) visit(location);
  void meet();
}

function complain(error) {
  if (error.needsSignIn) void askSignIn();
  threads.note = sentence(error);
  announcer.say(threads.note);
  draw();
}

function shortcut(event) {
  if (document.querySelector('dialog[open]')) return;
  if (event.key === 'Escape' && conversation.busy) void conversation.stop();
  else if (event.altKey && event.code === 'KeyN') startNew();
  else if (event.key === '/' && !event.target.closest('input, textarea, select')) composer.focus();
  else return;
  event.preventDefault();
}

/** A touch screen would bring up its keyboard over what is to be read. */
function focusComposer() {
  if (matchMedia('(pointer: fine)').matches) composer.focus();
}

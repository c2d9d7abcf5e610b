// Not from the client's index, which would also load what only the inspector needs.
import { ChatService } from '../client/chat.service.js';
import { findVersion } from '../client/find-version.js';
import { Conversation } from './chat/conversation.js';
import { Attachments } from './chat/attachments.js';
import { Drafts } from './chat/drafts.js';
import { MessageDraft } from './chat/message-draft.js';
import { rateIn } from './chat/feedback.js';
import { sentence } from './chat/sentences.js';
import { Session } from './chat/session.js';
import { Threads } from './chat/threads.js';
import { Announcer } from './dom/announcer.js';
import { pushThread, readQuery, setQuery } from './dom/address.js';
import { lazily } from './dom/lazily.js';
import { listenForShortcuts } from './dom/keys.js';
import { Notifier } from './dom/notifier.js';
import { Tabs } from './dom/tabs.js';
import { AttachmentBar } from './view/attachment.bar.js';
import { Composer } from './view/composer.js';
import { ConnectionBadge } from './view/connection.badge.js';
import { ConversationPane } from './view/conversation.pane.js';
import { Brand } from './view/brand.js';
import { nameTab, Shell } from './view/shell.js';

let drawing = false;
/** The conversation and the agent that the composer offers. */
let offered = {};
/** The place that a search has found, and that was opened last. */
let found;
/** Aborted when the address names something else. */
let visiting = new AbortController();

// What the page knows.
const chat = new ChatService({ baseUrl: 'api/chat', pauseWhenHidden: true });
const announcer = new Announcer(document.getElementById('announcer'));
const drafts = new Drafts();
const brand = new Brand();
const tabs = new Tabs(changedElsewhere);
const threads = new Threads(chat, {
  onChange: threadsChanged,
  onSignIn: () => session.askSignIn(),
  follows: () => conversation.busy,
  notifies: () => notifier.isOn,
});
const conversation = new Conversation(chat, {
  onChange: changed,
  onThreads: (threadId) => {
    void threads.refresh();
    tabs.tell(threadId);
    draft.forgetClosed(threadId);
  },
  onThreadStart: begun,
  onSnapshot: narrate,
  onSignIn: () => session.askSignIn(),
});

// What the page shows.
const attachments = new Attachments(chat, {
  onChange: () => {
    composer.updateFiles();
    draft.save();
  },
  say: (text) => announcer.say(text),
});
const composer = new Composer(
  {
    send: ask,
    stop: () => conversation.stop(),
    type: () => draft.save(),
    sendNext: () => conversation.sendNext(),
    steer: (key) => conversation.steer(key),
    editQueued: async (key) => draft.putBack([await conversation.takeBack(key)].filter(Boolean)),
    removeQueued: (key) => conversation.takeBack(key),
    approveAll,
    offer: (agent) => pane.showAgent(agent),
  },
  new AttachmentBar(attachments, (fileId) => chat.fileUrl(fileId)),
);
const draft = new MessageDraft(drafts, { conversation, composer, attachments });
const badge = new ConnectionBadge();
const pane = new ConversationPane({
  ask: (question) => conversation.busy || ask(question, composer.agent),
  retry: askAgain,
  reconnect: (key) => conversation.reconnect(key),
  edit: (key) =>
    draft.reopen(key, (runId) => {
      pane.update(conversation);
      return pane.edit(runId);
    }),
  readEdit: (runId) => draft.readEdit(runId),
  writeEdit: (runId, text) => draft.writeEdit(runId, text),
  attach: (runId, onChange) => draft.attach(runId, onChange),
  sendEdit: (runId, text, files) => {
    void conversation.edit(runId, text, files);
    attend();
  },
  showVersion,
  showElsewhere: () => showVersion(conversation.elsewhere),
  answer: (key, inputId, answer) => conversation.answer(key, inputId, answer),
  rate: rateIn(conversation, { say: (text) => announcer.say(text), complain }),
  fileUrl: (fileId) => chat.fileUrl(fileId),
  earlier: showEarlier,
  inspect,
  startNew,
});
const shell = new Shell(
  { startNew, signOut: () => session.signOut().catch(complain) },
  { badge: badge.element, main: [pane.element, composer.element] },
);

const session = new Session(chat, drafts, {
  loadSignIn: lazily(async () => new (await import('./view/sign-in.js')).SignIn(chat)),
  brand: (changes) => brand.change(changes) && showBrand(),
  stranger: () => draft.hide(),
  person: (session) => {
    shell.showPerson(session);
    draft.unhide();
    void threads.refresh();
  },
  agents: (agents) => composer.offer(agents),
  signedIn: resume,
  failed: (error) => {
    announcer.say(sentence(error));
    void threads.refresh();
  },
});

const notifier = new Notifier({ open: show, say: (text) => announcer.say(text) });
shell.addToFoot(notifier.element);

// What is loaded after the composer is there, or when it is first needed.
const loadNav = lazily(async () => {
  const { ThreadNav } = await import('./view/thread.nav.js');
  nav = new ThreadNav({
    open: show,
    rename: (id, title) => changeThread(id, { title }),
    pin: ({ id, pinned }) => changeThread(id, { pinned: !pinned }),
    archive: ({ id, archived }) => changeThread(id, { archived: !archived }),
    remove: removeThread,
    more: () => threads.more().catch(complain),
    showArchived: (archived) => threads.showArchived(archived),
    find: (query) => threads.search(query),
    onSignIn: () => session.askSignIn(),
  });
  shell.addThreads(nav.elements);
  draw();
});
const loadShowRun = lazily(() => import('./chat/show-run.js'));
const loadNarration = lazily(async () => new (await import('./chat/narration.js')).Narration());
const loadThreadActions = lazily(async () => {
  const { ThreadActions } = await import('./chat/thread-actions.js');
  return new ThreadActions({ threads, conversation, drafts, tabs }, { changed: draw, failed: complain });
});
const loadPanel = lazily(async () => {
  const { InspectorPanel } = await import('./view/inspector.panel.js');
  panel = new InspectorPanel(() => setQuery('run', undefined));
  shell.addPanel(panel.element);
  return panel;
});
let nav;
let panel;

addEventListener('popstate', visit);
listenForShortcuts({
  isBusy: () => conversation.busy,
  stop: () => conversation.stop(),
  startNew,
  focus: () => composer.focus(),
});
document.addEventListener(
  'visibilitychange',
  () => document.hidden || conversation.busy || conversation.refresh(),
);
showBrand();
visit();
// A new conversation focuses the field. An existing one starts at its top.
if (!location.search) composer.focusByKeys();
void session.meet();
requestAnimationFrame(() => loadNav().catch(complain));

/** Saves the draft at once, because the page may close before it is drawn again. */
function changed() {
  draft.save();
  setQuery('branch', conversation.branch);
  draw();
}

function begun(threadId) {
  draft.forgetNew();
  pushThread(threadId);
}

/** Called when another tab has changed a conversation. */
function changedElsewhere(threadId) {
  void threads.refresh();
  if (threadId === conversation.threadId) void conversation.refresh();
}

/** Draws at most once per frame, however many events came. A hidden page draws when it is seen again. */
function draw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    pane.update(conversation);
    composer.update(conversation);
    nav?.update(threads, conversation.threadId);
    shell.showNeeded(threads.waiting.length);
    const connection = conversation.entries.findLast(({ role }) => role === 'assistant')?.connection;
    badge.update(connection?.state === 'ended' ? undefined : connection);
    showAgent();
    const isUntitled = conversation.threadId && !conversation.problem;
    shell.showTitle(conversation.title ?? (isUntitled ? 'Conversation' : ''));
    showTitle();
  });
}

function showTitle() {
  const { title, threadId } = conversation;
  const hasNews = threads.items.some(({ unread, id }) => unread && (document.hidden || id !== threadId));
  nameTab(title, { page: brand.name, waiting: threads.waiting.length, hasNews });
}

/** Selects the agent that answered last in the conversation. */
function showAgent() {
  const { threadId, agent } = conversation;
  if (offered.threadId === threadId && offered.agent === agent) return;
  offered = { threadId, agent };
  composer.choose(agent);
}

function threadsChanged() {
  const { threadId, phase } = conversation;
  const thread = threads.find(threadId);
  // A message was sent in another window, or on another device.
  if (thread && phase === 'idle' && threads.isNews(thread)) void conversation.refresh();
  if (thread && !document.hidden) threads.noteRead(thread).catch(complain);
  conversation.rename(threadId, thread?.title);
  notifier.update(threads.items, threads.pinned, threads.waiting);
  // A hidden page is not drawn, but its title is visible.
  showTitle();
  draw();
}

/** Shows what the address names. */
function visit() {
  announcer.hush();
  visiting.abort();
  visiting = new AbortController();
  const threadId = readQuery('thread');
  const runId = readQuery('run');
  if (runId) void openPanel(runId);
  else panel?.close();
  const restoreFiles = draft.open(threadId);
  const at = readQuery('at');
  if (threadId && at) void reveal(threadId, at, visiting.signal);
  else if (threadId) void conversation.show(threadId, readQuery('branch'));
  else conversation.clear();
  restoreFiles();
  pane.toEnd();
}

/** Tells screen readers what happens in a run. Without the part that does so, the page still shows it. */
function narrate(before, after) {
  loadNarration().then(
    (narration) => announcer.say(...narration.step(before, after)),
    () => {},
  );
}

/** Shows a message of a thread: that of a run, or the answer to it. */
async function reveal(threadId, runId, signal) {
  const place = found?.runId === runId ? found : undefined;
  try {
    const { showRun } = await loadShowRun();
    if (!(await showRun(conversation, threadId, runId, signal))) return;
    await pane.reveal(conversation, { runId, place, signal });
    if (!signal.aborted) setQuery('at', undefined);
  } catch (error) {
    if (!signal.aborted) complain(error);
  }
}

/** Opens the inspector of a run beside the conversation. */
function inspect(runId, opener) {
  setQuery('run', runId);
  void openPanel(runId, { opener });
}

async function openPanel(runId, options) {
  try {
    const loaded = await loadPanel();
    // Another page may be shown by now.
    if (readQuery('run') === runId) await loaded.open(runId, options);
  } catch (error) {
    complain(error);
  }
}

/** @param match the place in the thread that a search has found. Default: its end */
function show(threadId, match) {
  shell.closeDrawer();
  found = match;
  if (match?.runId || threadId !== conversation.threadId) pushThread(threadId, match?.runId);
  visit();
  if (!match?.runId) composer.focusByKeys();
}

function startNew() {
  shell.closeDrawer();
  if (location.search) pushThread();
  visit();
  composer.focus();
}

function ask(question, agent, files) {
  // Nothing is left to show.
  if (conversation.problem?.gone) {
    draft.save();
    startNew();
  }
  void conversation.send(question, agent, files);
  attend();
}

function askAgain(key) {
  if (conversation.busy) return;
  void conversation.retry(key);
  attend();
}

/** Shows the branch of another version, with what was typed and is still to be sent. */
async function showVersion(runId, step) {
  try {
    const unsent = await conversation.choose(runId);
    if (!unsent) return;
    if (unsent.length > 0) draft.putBack(unsent);
  } catch (error) {
    return complain(error);
  }
  if (step) {
    pane.keepingTop(() => pane.update(conversation));
    pane.focusVersion(runId, step);
  } else attend();
  const version = findVersion(conversation.entries.find((entry) => entry.runId === runId) ?? {});
  if (version) announcer.say(`Version ${version.place} of ${version.count}.`);
}

async function approveAll(open) {
  for (const { key, part } of open) {
    await conversation.answer(key, part.inputId, { decision: 'approve' }).catch(complain);
  }
}

/** Shows the end of the conversation and focuses the composer after a question was asked. */
function attend() {
  pane.toEnd();
  composer.focusByKeys();
}

function showEarlier() {
  const keepPlace = () => pane.keepingPlace(() => pane.update(conversation));
  conversation.showEarlier().then((isAdded) => isAdded && keepPlace(), complain);
}

async function changeThread(id, change) {
  const actions = await loadThreadActions().catch(complain);
  await actions?.change(id, change);
}

async function removeThread(thread) {
  const place = nav.indexOf(thread.id);
  const actions = await loadThreadActions().catch(complain);
  if (!(await actions?.remove(thread))) return;
  announcer.say('The conversation is deleted.');
  if (thread.id === conversation.threadId) startNew();
  else nav.focus(place);
}

function showBrand() {
  shell.showBrand(brand);
  pane.greet(brand.greeting);
  showTitle();
}

/** Goes on with what the server has refused without a sign-in. */
function resume() {
  if (conversation.retryRefused()) return;
  const failed = conversation.problem || conversation.entries.some(({ problem }) => problem);
  if (failed && conversation.threadId) visit();
}

function complain(error) {
  if (error.needsSignIn) void session.askSignIn();
  threads.note = sentence(error);
  announcer.say(threads.note);
  draw();
}

import { newIdempotencyKey } from '../../client/idempotency-key.js';
import { emptyView, withDecisions } from '../../events/run-view.js';
import { addVersion, listRefused, placeAttempt, startAttempt } from './attempts.js';
import { setServerClock } from './clock.js';
import { EntryList, listOpen } from './entries.js';
import { Ratings } from './feedback.js';
import { MessageQueue } from './message-queue.js';
import { toProblem, unlessAborted, whyNotFollowed } from './problems.js';
import { RunFollower } from './run-follower.js';

/**
 * The conversation on the page: what was said in a thread, and the run that goes on in it. Knows no elements; `onChange` is
 * called after every change, and what did not change stays `===`.
 */
export class Conversation {
  threadId;
  title;
  /** The run whose branch was chosen; undefined: the branch of the newest run. */
  branch;
  /** `loading`, `idle`, `starting` (sent, no answer yet), `running`, `stopping`. */
  phase = 'idle';
  /** The reason why the thread is not shown. */
  problem;
  /** Asks for the messages before those that are shown. */
  earlier;

  #chat;
  #events;
  #follower;
  #ratings;
  /** Aborted when another thread is shown. */
  #visit = new AbortController();
  #list = new EntryList();
  #queue;

  /**
   * @param chat a ChatService
   * @param events `onChange()`; `onThreads(threadId)` when something in a thread has changed; `onThreadStart(threadId)`;
   *   `onSnapshot(before, after)` for each new view; `onSignIn()` when the server wants a sign-in
   */
  constructor(chat, events) {
    this.#chat = chat;
    this.#events = events;
    this.#follower = new RunFollower(chat);
    this.#queue = new MessageQueue(
      () => this.#list.newKey(),
      chat,
      () => events.onChange(),
      () => this.sendNext(),
    );
    this.#ratings = new Ratings({ chat, list: this.#list, onChange: () => events.onChange() });
  }

  /** What is shown, as EntryList has it. */
  get entries() {
    return this.#list.items;
  }

  /** The run that goes on in a branch that is not shown. Until it ends, the thread takes no other. */
  get elsewhere() {
    return this.#follower.awaited;
  }

  get busy() {
    return this.phase !== 'idle';
  }

  /** The agent that has answered last. */
  get agent() {
    return this.entries.findLast(({ view }) => view?.agent)?.view.agent;
  }

  /** Messages that wait for the end of the run, as MessageQueue has them. */
  get queue() {
    return this.#queue.items;
  }

  /** The messages that were typed and are not on the server, each `{ text, files? }`. */
  get unsent() {
    return [...listRefused(this.entries), ...this.queue].filter(({ isAgain }) => !isAgain);
  }

  /** The inputs that the conversation waits for, each with the key of its entry. */
  get open() {
    return this.busy ? [] : listOpen(this.entries);
  }

  /** Leaves the thread; what runs in it goes on. */
  clear() {
    this.#leave();
    this.phase = 'idle';
    this.#events.onChange();
  }

  /** @param branch a run of the branch to show. Default: the newest run, which is also shown if there is no such run any more */
  async show(threadId, branch) {
    const { signal } = this.#leave();
    this.threadId = threadId;
    this.branch = branch;
    this.phase = 'loading';
    this.#events.onChange();
    try {
      const page = await this.#read({ signal });
      this.phase = 'idle';
      this.#take(page);
    } catch (error) {
      if (signal.aborted) return;
      if (branch && error.status === 404) return this.show(threadId);
      this.phase = 'idle';
      this.problem = { ...toProblem(error), gone: error.status === 404 };
      this.#noteSignIn(error);
    }
    this.#events.onChange();
  }

  /** Adds messages from elsewhere, without moving the reader. */
  async refresh() {
    const { signal } = this.#visit;
    const { branch } = this;
    if (!this.threadId || this.problem || this.phase === 'loading') return;
    const page = await this.#read({ signal }).catch(() => undefined);
    // A message that is being sent has no run yet, and would appear twice.
    if (!page || signal.aborted || branch !== this.branch || (this.busy && !this.#follower.runId)) return;
    this.#take(page);
    this.#events.onChange();
  }

  /**
   * Shows the branch of a run of this thread. A run that goes on in the branch before goes on.
   *
   * @returns the messages that waited to be sent, or could not be; undefined if nothing was changed, because a message is on its way
   */
  async choose(runId) {
    const { signal } = this.#visit;
    const page = await unlessAborted(this.#chat.thread(this.threadId, { runId, signal }), signal);
    if (!page || (this.busy && this.phase !== 'running')) return undefined;
    const { unsent } = this;
    this.#follower.leave();
    this.phase = 'idle';
    this.#queue.clear();
    this.branch = runId;
    this.#list.items = this.entries.filter((entry) => entry.runId);
    this.#take(page);
    this.#events.onChange();
    return unsent;
  }

  /** Adds the messages before those that are shown. Returns false if the person has gone elsewhere meanwhile. */
  async showEarlier() {
    const { branch, earlier: cursor } = this;
    const { signal } = this.#visit;
    const page = await unlessAborted(this.#read({ cursor, signal }), signal);
    // They may be there by now, or belong to another branch.
    if (!page || branch !== this.branch || cursor !== this.earlier) return false;
    this.earlier = page.nextCursor;
    this.#list.addEarlier(page);
    this.#events.onChange();
    return true;
  }

  /** Takes the new title of a thread. */
  rename(threadId, title) {
    if (threadId === this.threadId && title) this.title = title;
  }

  /** Sends a message, or queues it until the active run has ended. */
  send(text, agent, files) {
    return this.#offer({ text, agent, files });
  }

  /** Sends another message in the place of a run's, with its files if none are given. Both remain, as versions of one turn. */
  edit(runId, text, files) {
    return this.#offer({ text, files, replaces: runId });
  }

  /** Takes a message out of the queue. Resolves with it; undefined if the run has it. */
  takeBack(key) {
    return this.#queue.withdraw(key);
  }

  /** Sends a message of the queue to the run that goes on. */
  steer(key) {
    return this.#queue.steer(key, this.#follower.runId);
  }

  /** Sends the first of the queue. */
  sendNext() {
    if (this.busy || this.elsewhere || !this.#queue.isReady) return;
    void this.#offer(this.#queue.take());
  }

  /** Makes an answer again, in its place, or sends what was not sent. */
  retry(key) {
    const { question, runId, attempt, problem } = this.#list.find(key);
    if (runId && !problem?.gone) return this.#offer({ text: question, replaces: runId, isAgain: true });
    this.#list.takeAttempt(key);
    // It may have reached the server all the same: with the same key it is asked once.
    return runId ? this.send(question, attempt?.agent, attempt?.files) : this.#ask(question, attempt);
  }

  /** Takes a message back that was not sent. Returns its text and files, and the run that it was to replace. */
  async reclaim(key) {
    const { question: text, attempt } = this.#list.takeAttempt(key);
    // What it would have replaced is there again.
    if (attempt.replaces) await this.refresh();
    this.#events.onChange();
    return { text, files: attempt.files, replaces: attempt.replaces };
  }

  /** Sends the messages again that the server refused without a sign-in. */
  retryRefused() {
    const refused = this.entries.findLast(({ problem, runId }) => problem?.needsSignIn && !runId);
    if (refused && !this.busy) void this.retry(refused.key);
    return refused !== undefined;
  }

  /** @param message `{ text, files?, agent?, replaces?, isAgain? }`: `isAgain` if what it replaces is asked once more, as it was */
  #offer({ text, ...given }) {
    if (!this.busy && !this.elsewhere)
      return this.#ask(text, { ...given, idempotencyKey: newIdempotencyKey() });
    this.#queue.add({ ...given, text });
    this.#events.onChange();
    return Promise.resolve();
  }

  async #ask(text, given) {
    const visit = this.#visit;
    const { entries, attempt } = placeAttempt(this.entries, given, this.branch);
    // A text that is edited keeps the files of its message.
    const files = attempt.files ?? attempt.replaced?.files;
    this.#list.items = entries;
    const { user, answer } = this.#list.addTurn({ text, files, attempt, view: emptyView('') });
    this.phase = 'starting';
    this.#events.onChange();
    try {
      const run = await startAttempt(this.#chat, { ...attempt, text, threadId: this.threadId });
      if (this.phase === 'stopping' && visit === this.#visit) await this.#chat.cancel(run.runId);
      this.#events.onThreads(run.threadId);
      if (visit !== this.#visit) return;
      const { replaced } = attempt;
      this.#list.change(user.key, {
        runId: run.runId,
        ...(replaced && { versions: addVersion(replaced, run.runId) }),
      });
      // It is the newest run.
      this.branch = undefined;
      if (!this.threadId) {
        this.threadId = run.threadId;
        // The server makes the same title from the first message.
        this.title = (text || files?.[0]?.name || '').trim().split(/\r\n|\r|\n/, 1)[0];
        this.#events.onThreadStart(run.threadId);
      }
      this.#follow(answer.key, run.runId, emptyView(run.runId));
    } catch (error) {
      if (visit === this.#visit) this.#notStarted(answer.key, error);
    }
    this.#events.onChange();
  }

  /** Asks the run to stop; it ends through its stream. */
  async stop() {
    if (this.phase !== 'running' && this.phase !== 'starting') return;
    const starting = this.phase === 'starting';
    this.phase = 'stopping';
    this.#events.onChange();
    if (starting) return;
    const visit = this.#visit;
    try {
      await this.#chat.cancel(this.#follower.runId);
    } catch {
      // It ended first, or the request was lost: the stream tells which, and the button is there again.
      if (visit !== this.#visit || this.phase !== 'stopping') return;
      this.phase = 'running';
      this.#events.onChange();
    }
  }

  /** Follows again a run that could not be followed any more. */
  reconnect(key) {
    const entry = this.#list.find(key);
    this.#follow(key, entry.runId, entry.view);
    this.#events.onChange();
  }

  /** Decides on a tool call that an answer has stopped for. Rejects with why that did not work. */
  async answer(key, inputId, answer) {
    const visit = this.#visit;
    const { runId, question } = this.#list.find(key);
    try {
      const { run, continuedBy } = await this.#chat.answer(runId, inputId, answer);
      this.#events.onThreads(run.threadId);
      if (visit !== this.#visit) return;
      const { view } = this.#list.find(key);
      this.#list.change(key, { view: withDecisions(view, run.inputs) });
      if (continuedBy && !this.#list.findAnswer(continuedBy.runId)) {
        const further = this.#list.addAnswer({ question, view: emptyView(continuedBy.runId) });
        this.#follow(further.key, continuedBy.runId, further.view);
      }
      this.#events.onChange();
    } catch (error) {
      if (visit !== this.#visit) return;
      this.#noteSignIn(error);
      // Another window was quicker: show how it stands.
      if (error.code === 'INPUT_CLOSED') await this.refresh();
      throw error;
    }
  }

  /**
   * Rates an answer, or withdraws the feedback on it (null). Rejects with why that did not work.
   *
   * @returns true once it is stored; false: the person has changed their mind meanwhile
   */
  async rate(runId, feedback) {
    const { threadId } = this;
    const { feedback: before = null } = this.#list.findAnswer(runId);
    const isStored = await this.#ratings.rate(runId, feedback, before);
    this.#events.onThreads(threadId);
    return isStored;
  }

  #leave() {
    this.#visit.abort();
    this.#visit = new AbortController();
    this.#follower.leave();
    this.threadId = undefined;
    this.branch = undefined;
    this.title = undefined;
    this.#list.items = [];
    this.#queue.clear();
    this.problem = undefined;
    this.earlier = undefined;
    return this.#visit;
  }

  /** A page of the branch that is shown. */
  #read(query) {
    return this.#chat.thread(this.threadId, { ...query, ...(this.branch && { runId: this.branch }) });
  }

  /** Shows the newest page of a branch, and leaves what is the same. */
  #take({ thread, nextCursor, ...page }) {
    if (this.#list.takeNewest(page, this.#follower.runId)) this.earlier = nextCursor;
    this.title = thread.title;
    for (const { view } of this.entries) if (view) this.#queue.see(view);
    if (this.busy) return;
    const { activeRunId } = thread;
    const answer = activeRunId && this.#list.findAnswer(activeRunId);
    if (answer) this.#follow(answer.key, activeRunId, answer.view);
    else this.#follower.waitFor(activeRunId, () => void this.refresh().then(() => this.sendNext()));
  }

  #follow(key, runId, view) {
    if (this.phase !== 'stopping') this.phase = 'running';
    this.#list.change(key, { runId, view, problem: undefined, connection: { state: 'connecting' } });
    this.#follower.follow(runId, view, {
      snapshot: ({ view, connection, serverAheadMs }, before) => {
        if (serverAheadMs !== undefined) setServerClock(serverAheadMs);
        this.#list.change(key, { view, connection });
        this.#queue.see(view);
        if (connection.state === 'ended') this.#ended();
        this.#events.onSnapshot(before, view);
        this.#events.onChange();
        // Sends the queue only after a complete answer. After any other end, the person decides.
        if (connection.state === 'ended' && view.status === 'completed') this.sendNext();
      },
      failed: (error) => {
        this.#ended();
        this.#list.change(key, { problem: whyNotFollowed(error) });
        this.#noteSignIn(error);
        this.#events.onChange();
      },
    });
  }

  #ended() {
    this.phase = 'idle';
    this.#events.onThreads(this.threadId);
  }

  #notStarted(key, error) {
    this.phase = 'idle';
    // Another window was faster: its message is shown, and this one waits for the answer.
    if (error.code === 'THREAD_BUSY') {
      const { question: text, attempt } = this.#list.takeAttempt(key);
      const { agent, files, replaces, isAgain } = attempt;
      this.#queue.add({ text, files, agent, replaces, isAgain });
      void this.refresh().then(() => this.sendNext());
      return;
    }
    this.#list.change(key, { problem: toProblem(error) });
    this.#noteSignIn(error);
  }

  #noteSignIn(error) {
    if (error.needsSignIn) this.#events.onSignIn();
  }
}

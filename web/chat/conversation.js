import { emptyView, newIdempotencyKey, withDecisions } from '../../client/index.js';
import { setServerClock } from './clock.js';
import { sentence } from './sentences.js';

/**
 * The conversation on the page: what was said in a thread, and the run that goes on in it. Knows no elements; `onChange` is
 * called after every change, and what did not change stays `===`.
 *
 * An entry is `{ key, role: 'user', text, createdAt }` or
 * `{ key, role: 'assistant', question, createdAt, view, runId?, attempt?, connection?, problem? }`. `attempt` is what the question
 * was sent with, `connection` is there while a run is followed, `problem` says in a sentence why it is not, with what may be done about it: `retry` or `reconnect`.
 */
export class Conversation {
  threadId;
  title;
  entries = [];
  /** `loading`, `idle`, `starting` (sent, no answer yet), `running`, `stopping`. */
  phase = 'idle';
  /** The reason why the thread is not shown. */
  problem;
  /** Asks for the messages before those that are shown. */
  earlier;

  #chat;
  #events;
  #subscription;
  #runId;
  /** Aborted when another thread is shown. */
  #visit = new AbortController();
  #keys = 0;

  /**
   * @param chat a ChatService
   * @param events `onChange()`; `onThreads()` when the list of threads is out of date; `onThreadStart(threadId)`;
   *   `onSnapshot(before, after)` for each new view; `onSignIn()` when the server wants a sign-in
   */
  constructor(chat, events) {
    this.#chat = chat;
    this.#events = events;
  }

  get busy() {
    return this.phase !== 'idle';
  }

  /** Leaves the thread; what runs in it goes on. */
  clear() {
    this.#leave();
    this.phase = 'idle';
    this.#events.onChange();
  }

  async open(threadId) {
    const { signal } = this.#leave();
    this.threadId = threadId;
    this.phase = 'loading';
    this.#events.onChange();
    try {
      const page = await this.#chat.thread(threadId, { signal });
      this.title = page.thread.title;
      this.earlier = page.nextCursor;
      this.entries = this.#toEntries(page.messages);
      this.phase = 'idle';
      if (page.thread.activeRunId) this.#followActive(page.thread.activeRunId);
    } catch (error) {
      if (signal.aborted) return;
      this.phase = 'idle';
      this.problem = { message: sentence(error), gone: error.status === 404 };
      this.#noteSignIn(error);
    }
    this.#events.onChange();
  }

  async showEarlier() {
    const { signal } = this.#visit;
    const page = await this.#chat.thread(this.threadId, { cursor: this.earlier, signal });
    this.earlier = page.nextCursor;
    this.entries = [...this.#toEntries(page.messages), ...this.entries];
    this.#events.onChange();
  }

  send(text, agent) {
    return this.#ask(text, { agent, idempotencyKey: newIdempotencyKey() });
  }

  /** Asks an answer's question again. */
  retry(key) {
    const { question, runId, attempt } = this.entries.find((entry) => entry.key === key);
    if (runId) return this.send(question, attempt?.agent);
    // It may have reached the server all the same: with the same key it is asked once.
    const index = this.entries.findIndex((entry) => entry.key === key);
    this.entries = this.entries.toSpliced(index - 1, 2);
    return this.#ask(question, attempt);
  }

  /** True when the run is one of those that are shown. */
  shows(runId) {
    return this.entries.some((entry) => entry.runId === runId);
  }

  async #ask(text, attempt) {
    const visit = this.#visit;
    const createdAt = Date.now();
    const user = { key: this.#newKey(), role: 'user', text, createdAt };
    const answer = {
      key: this.#newKey(),
      role: 'assistant',
      question: text,
      createdAt,
      attempt,
      view: emptyView(''),
    };
    this.entries = [...this.entries, user, answer];
    this.phase = 'starting';
    this.#events.onChange();
    try {
      const { agent, idempotencyKey } = attempt;
      const run = await this.#chat.start(text, {
        idempotencyKey,
        ...(this.threadId && { threadId: this.threadId }),
        ...(agent && { agent }),
      });
      if (this.phase === 'stopping' && visit === this.#visit) await this.#chat.cancel(run.runId);
      this.#events.onThreads();
      if (visit !== this.#visit) return;
      if (!this.threadId) {
        this.threadId = run.threadId;
        this.title = text;
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
      await this.#chat.cancel(this.#runId);
    } catch {
      // It ended first, or the request was lost: the stream tells which, and the button is there again.
      if (visit !== this.#visit || this.phase !== 'stopping') return;
      this.phase = 'running';
      this.#events.onChange();
    }
  }

  /** Follows again a run that could not be followed any more. */
  reconnect(key) {
    const entry = this.entries.find((entry) => entry.key === key);
    this.#follow(key, entry.runId, entry.view);
    this.#events.onChange();
  }

  /**
   * Decides on a tool call that an answer has stopped for. Rejects with why that did not work.
   */
  async answer(key, inputId, answer) {
    const visit = this.#visit;
    const { runId, question } = this.entries.find((entry) => entry.key === key);
    try {
      const { run, continuedBy } = await this.#chat.answer(runId, inputId, answer);
      if (visit !== this.#visit) return;
      const { view } = this.entries.find((entry) => entry.key === key);
      this.#change(key, { view: withDecisions(view, run.inputs) });
      if (continuedBy) this.#goOn(continuedBy.runId, question);
      this.#events.onChange();
    } catch (error) {
      if (visit !== this.#visit) return;
      this.#noteSignIn(error);
      // Another window was quicker: show how it stands.
      if (error.code === 'INPUT_CLOSED') void this.open(this.threadId);
      throw error;
    }
  }

  /** Follows a run whose words come below all others. */
  #goOn(runId, question) {
    const key = this.#newKey();
    const entry = { key, role: 'assistant', question, createdAt: Date.now(), view: emptyView(runId) };
    this.entries = [...this.entries, entry];
    this.#follow(key, runId, entry.view);
  }

  #leave() {
    this.#visit.abort();
    this.#visit = new AbortController();
    this.#subscription?.unsubscribe();
    this.#runId = undefined;
    this.threadId = undefined;
    this.title = undefined;
    this.entries = [];
    this.problem = undefined;
    this.earlier = undefined;
    return this.#visit;
  }

  #followActive(runId) {
    const entry = this.entries.findLast((entry) => entry.role === 'assistant' && entry.runId === runId);
    if (entry) return this.#follow(entry.key, runId, entry.view);
    this.#goOn(runId, this.entries.findLast(({ role }) => role === 'user')?.text);
  }

  #follow(key, runId, view) {
    this.#subscription?.unsubscribe();
    this.#runId = runId;
    if (this.phase !== 'stopping') this.phase = 'running';
    this.#change(key, { runId, view, problem: undefined, connection: { state: 'connecting' } });
    let before = view;
    this.#subscription = this.#chat.follow(runId, { after: view }).subscribe({
      next: ({ view, connection, serverAheadMs }) => {
        if (serverAheadMs !== undefined) setServerClock(serverAheadMs);
        this.#change(key, { view, connection });
        if (connection.state === 'ended') this.#ended();
        this.#events.onSnapshot(before, view);
        before = view;
        this.#events.onChange();
      },
      error: (error) => {
        this.#ended();
        this.#change(key, { problem: whyNotFollowed(error) });
        this.#noteSignIn(error);
        this.#events.onChange();
      },
    });
  }

  #ended() {
    this.phase = 'idle';
    this.#runId = undefined;
    this.#events.onThreads();
  }

  #notStarted(key, error) {
    this.phase = 'idle';
    // Another window was quicker: show what it asked, and give this question back.
    const busy = error.code === 'THREAD_BUSY';
    const message = busy
      ? 'This conversation is still being answered. Ask again when the answer is complete.'
      : sentence(error);
    this.#change(key, { problem: { message, remedy: 'retry' } });
    this.#noteSignIn(error);
  }

  #noteSignIn(error) {
    if (error.needsSignIn) this.#events.onSignIn();
  }

  #change(key, changes) {
    const index = this.entries.findIndex((entry) => entry.key === key);
    if (index >= 0) this.entries = this.entries.with(index, { ...this.entries[index], ...changes });
  }

  #toEntries(messages) {
    let question;
    return messages.map((message) => {
      if (message.role === 'user') question = message.text;
      const { role, runId, createdAt, text, view } = message;
      const key = this.#newKey();
      return role === 'user'
        ? { key, role, text, createdAt }
        : { key, role, question, createdAt, runId, view };
    });
  }

  #newKey() {
    return `e${++this.#keys}`;
  }
}

function whyNotFollowed(error) {
  // Deleted, or begun after the backup that the server was put back to: there is nothing to reconnect to.
  if (error.code === 'NOT_FOUND')
    return { message: 'This answer is no longer on the server.', remedy: 'retry' };
  return { message: sentence(error), remedy: 'reconnect' };
}

/** Follows one run at a time: one that is shown, or one that is not, to its end. */
export class RunFollower {
  /** The run that is followed and shown. */
  runId;
  /** The run that is not shown, and whose end is awaited. */
  awaited;
  #chat;
  #subscription;

  constructor(chat) {
    this.#chat = chat;
  }

  /**
   * Follows a run that is shown, from where its view is.
   *
   * @param on `snapshot(snapshot, before)`: the client's snapshot, and the view before it; `failed(error)` if the run can no longer be followed.
   *   Once it has ended or failed, no run is followed
   */
  follow(runId, view, { snapshot, failed }) {
    this.leave();
    this.runId = runId;
    let before = view;
    this.#subscription = this.#chat.follow(runId, { after: view }).subscribe({
      next: (next) => {
        if (next.connection.state === 'ended') this.runId = undefined;
        snapshot(next, before);
        before = next.view;
      },
      error: (error) => {
        this.runId = undefined;
        failed(error);
      },
    });
  }

  /** Waits for the end of a run that is not shown. Undefined: there is none. */
  waitFor(runId, onEnd) {
    if (this.awaited === runId) return;
    this.leave();
    this.awaited = runId;
    if (!runId) return;
    const over = () => {
      this.awaited = undefined;
      onEnd();
    };
    this.#subscription = this.#chat.follow(runId).subscribe({ next: () => {}, complete: over, error: over });
  }

  /** Follows no run. What runs goes on. */
  leave() {
    this.#subscription?.unsubscribe();
    this.runId = undefined;
    this.awaited = undefined;
  }
}

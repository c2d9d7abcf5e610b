/**
 * A worker for tasks that may take too long. One that does is ended, and the next task gets another worker. Takes one task at a time.
 *
 * To each message, the worker sends `{ begins: true }` when it has loaded what it needs, and then its result, or `{ failed: true }`.
 */
export class TimedWorker {
  #create;
  #limitMs;
  #worker;

  /**
   * @param create makes the worker
   * @param limitMs milliseconds for a task, without those for loading
   */
  constructor(create, limitMs) {
    this.#create = create;
    this.#limitMs = limitMs;
  }

  /** Resolves with the result of a task. Rejects if it has failed, or took too long. */
  async run(task) {
    this.#worker ??= this.#create();
    const worker = this.#worker;
    const { promise, resolve, reject } = Promise.withResolvers();
    const done = new AbortController();
    const listen = (event, on) => worker.addEventListener(event, on, { signal: done.signal });
    let timer;
    listen('message', ({ data }) => {
      if (data.begins) timer = setTimeout(() => reject(new Error('It took too long.')), this.#limitMs);
      else if (data.failed) reject(new Error('It has failed.'));
      else resolve(data);
    });
    listen('error', () => reject(new Error('The worker could not be loaded.')));
    worker.postMessage(task);
    try {
      return await promise;
    } catch (error) {
      worker.terminate();
      this.#worker = undefined;
      throw error;
    } finally {
      clearTimeout(timer);
      done.abort();
    }
  }
}

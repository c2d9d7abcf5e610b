import type { Storage } from '../../src/storage/storage.js';

/** The ports whose calls end with the process. */
const PORTS = new Set<string | symbol>(['runs', 'log', 'checkpointer', 'retention', 'blobs']);

/** The calls that are counted: those that change what is stored of a run, without what a process does by the clock. */
const WRITES = new Set<string | symbol>(['append', 'put', 'putWrites', 'create', 'decide']);

/**
 * A storage as a process has it that dies after one of its commits. Writes of one turn of the event loop are one commit, as in SQLite. Calls
 * after the last commit are not made until {@link revive}: then they come too late, as those of a process that was frozen.
 */
export class DyingStorage {
  readonly storage: Storage;
  /** Resolves when the last commit is durable and another has been tried. */
  readonly died: Promise<void>;
  private commits = 0;
  private turn: NodeJS.Immediate | undefined;
  private readonly writes: Promise<unknown>[] = [];
  private readonly dying = Promise.withResolvers<void>();
  private readonly revived = Promise.withResolvers<void>();

  /** @param lastCommit the number of the last commit, from 1 */
  constructor(
    real: Storage,
    private readonly lastCommit: number,
  ) {
    this.died = this.dying.promise.then(async () => void (await Promise.allSettled(this.writes)));
    this.storage = new Proxy(real, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        return PORTS.has(name) ? this.toMortal(value as object) : value;
      },
    });
  }

  /** Makes the calls that were held back. */
  revive(): void {
    this.revived.resolve();
  }

  private toMortal(port: object): object {
    return new Proxy(port, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name, target);
        if (typeof method !== 'function') return method;
        return (...args: unknown[]): unknown => {
          const call = (): unknown => Reflect.apply(method, target, args);
          const isWrite = WRITES.has(name);
          if (isWrite) this.countCommit();
          if (this.commits > this.lastCommit) return this.revived.promise.then(call);
          const result = call();
          if (isWrite) this.writes.push(Promise.resolve(result));
          return result;
        };
      },
    });
  }

  private countCommit(): void {
    if (this.turn) return;
    this.commits += 1;
    if (this.commits > this.lastCommit) return this.dying.resolve();
    this.turn = setImmediate(() => (this.turn = undefined));
  }
}

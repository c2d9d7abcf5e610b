import type { Owner } from '../../principal.js';

/** Work of owners that this process does one by one for each of them. Turns of different owners do not wait for each other. */
export class OwnerTurns {
  private readonly last = new Map<string, Promise<unknown>>();

  /** Owners with work at hand. */
  get size(): number {
    return this.last.size;
  }

  /** Does the work once all that came before for the same owner is settled. */
  async take<Result>({ tenant, userId }: Owner, work: () => Promise<Result>): Promise<Result> {
    const key = JSON.stringify([tenant, userId]);
    const before = this.last.get(key);
    const turn = before ? before.then(work, work) : work();
    this.last.set(key, turn);
    try {
      return await turn;
    } finally {
      if (this.last.get(key) === turn) this.last.delete(key);
    }
  }
}

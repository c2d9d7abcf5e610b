import { randomFrom, toSeed } from '../../../src/testing/random.js';
import { Person, type GuestAgent, type WatchedRun } from './person.js';

export interface CrowdOptions {
  readonly people: number;
  readonly origin: string;
  readonly seed: number;
  /** Begins the names of the people, and so the keys of their requests. */
  readonly name: string;
  /** Agents that are each asked once, beside the people. Default: none. */
  readonly guests?: readonly GuestAgent[];
}

/** People who ask and watch, all at once, until they are told that it is enough. */
export class Crowd {
  readonly watched: WatchedRun[] = [];
  /** What the people saw that the protocol does not allow. */
  readonly faults: string[] = [];
  private readonly timeUp = new AbortController();
  private readonly lives: readonly Promise<void>[];
  private goesOn = true;

  constructor({ people, origin, seed, name, guests = [] }: CrowdOptions) {
    const invite = (kind: string, ownName: string, index: number) =>
      new Person({
        name: ownName,
        origin,
        random: randomFrom(toSeed(seed, kind, index)),
        signal: this.timeUp.signal,
        goesOn: () => this.goesOn,
        onRun: (run) => this.watched.push(run),
        onFailure: (fault) => this.faults.push(fault),
      });
    this.lives = [
      ...Array.from({ length: people }, (_, index) => invite('person', `${name}-${index}`, index).live()),
      ...guests.map((agent, index) => invite('guest', `guest-${index}`, index).visit(agent)),
    ];
  }

  /** Stops new questions; runs in progress are watched to their end. */
  stopAsking(): void {
    this.goesOn = false;
  }

  /** Resolves when the last watched run has ended, or after `patienceMs`. */
  async finish(patienceMs: number): Promise<void> {
    const patience = setTimeout(() => this.timeUp.abort(), patienceMs);
    await Promise.all(this.lives);
    clearTimeout(patience);
  }

  /** Disconnects all readers. */
  abort(): void {
    this.timeUp.abort();
  }
}

import type { Owner } from '../principal.js';

/** Port: how many runs a principal may start. `RunService` takes from it once for each run that it creates, in any protocol. */
export abstract class StartBudget {
  /**
   * Takes one start.
   *
   * @throws AppError RATE_LIMITED with `retryAfterSeconds` among its details when nothing is left
   */
  abstract take(principal: Owner): Promise<void>;

  /** Gives one start back, because no run was made for it. Never throws, and is not awaited. */
  abstract giveBack(principal: Owner): void;
}

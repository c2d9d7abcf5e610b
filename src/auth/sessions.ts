import type { Owner } from '../principal.js';

/** Ends sessions: for hosts that have a sign-out, or an administration, of their own. */
export abstract class Sessions {
  /**
   * Ends every session of a user and every stream ticket, here at once and on other instances within 3 seconds; open streams that
   * they have opened are cut. Access tokens and API keys are not ended: those are their issuer's.
   */
  abstract endAll(owner: Owner): Promise<void>;

  /** Ends the sessions and tickets of everybody, and forgets the keys that they were signed with, unless those are configured. */
  abstract endForEveryone(): Promise<void>;
}

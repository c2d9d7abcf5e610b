import type { SecurityLog } from '../security/security-log.service.js';
import type { Switches } from '../switches/switches.js';
import type { EventCache } from './event.cache.js';
import type { EventLog } from './event-log.js';
import type { GroupCommit } from './group-commit.js';
import type { PresentRoles } from './present-roles.js';
import type { ReplacedText } from './replaced-text.js';
import type { RunHookCalls } from './run.hooks.js';
import type { RunLimits } from './run-limits.js';
import type { RunStore } from './run.store.js';
import type { Wakeups } from './wakeups.js';

/** Dependencies of an execution; the same for all runs of a process. */
export interface ExecutionDeps {
  readonly runs: RunStore;
  readonly log: EventLog;
  readonly recent: EventCache;
  readonly wakeups: Wakeups;
  readonly commits: GroupCommit;
  readonly limits: RunLimits;
  readonly hooks?: RunHookCalls;
  readonly roles?: PresentRoles;
  readonly security?: SecurityLog;
  readonly switches?: Switches;
  /** Absent where nothing is ever compacted. */
  readonly replaced?: ReplacedText;
}

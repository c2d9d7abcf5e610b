import type { AgentRegistry } from '../agents/agent.registry.js';
import type { SecurityLog } from '../security/security-log.service.js';
import type { Switches } from '../switches/switches.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import type { BlobStore } from './blob.store.js';
import type { EventCache } from './event.cache.js';
import type { EventLog } from './event-log.js';
import type { GroupCommit } from './group-commit.js';
import type { Prices } from './prices.js';
import type { PresentRoles } from './present-roles.js';
import type { ReplacedText } from './replaced-text.js';
import type { FileLimits } from './run-files.js';
import type { RunHookCalls } from './run.hooks.js';
import type { RunLimits } from './run-limits.js';
import type { RunStore } from './run.store.js';
import type { ThreadTitles } from './thread-titles.js';
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
  /** Absent: nothing is known of the agents of earlier runs. */
  readonly agents?: Pick<AgentRegistry, 'get'>;
  /** Absent: files are not stored, and the log names them as missing. */
  readonly blobs?: BlobStore;
  readonly fileLimits?: FileLimits;
  /** Absent: nothing has a price. */
  readonly prices?: Prices;
  readonly roles?: PresentRoles;
  readonly security?: SecurityLog;
  readonly switches?: Switches;
  /** Absent: nothing is measured. */
  readonly telemetry?: Telemetry;
  /** Absent where nothing is ever compacted. */
  readonly replaced?: ReplacedText;
  /** Absent where threads keep their first lines as titles. */
  readonly titles?: ThreadTitles;
}

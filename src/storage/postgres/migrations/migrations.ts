import { runsAndLogs } from './0001-runs-and-logs.js';
import { checkpointPaths } from './0002-checkpoint-paths.js';
import { limits } from './0003-limits.js';
import { retention } from './0004-retention.js';
import { approvals } from './0005-approvals.js';
import { wideEpochs } from './0006-wide-epochs.js';
import { sharedState } from './0007-shared-state.js';
import { threadNames } from './0008-thread-names.js';
import { turns } from './0009-turns.js';
import { deaths } from './0010-deaths.js';
import { givenInput } from './0013-given-input.js';
import { items } from './0014-items.js';

/** The tables of our own, step by step. Never edit one that was released: add the next. */
export const MIGRATIONS: readonly ((schema: string) => string)[] = [
  runsAndLogs,
  checkpointPaths,
  limits,
  retention,
  approvals,
  wideEpochs,
  sharedState,
  threadNames,
  turns,
  deaths,
  givenInput,
  items,
];

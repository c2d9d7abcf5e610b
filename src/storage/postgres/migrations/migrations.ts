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
import { traceparent } from './0015-traceparent.js';
import { runLists } from './0016-run-lists.js';
import { spending } from './0017-spending.js';
import { blobs } from './0018-blobs.js';
import { itemNumbers } from './0019-item-numbers.js';
import { continuedRuns } from './0024-continued-runs.js';
import { runsByFigure } from './0025-runs-by-figure.js';
import { threadMarks } from './0026-thread-marks.js';
import { waitingRuns } from './0027-waiting-runs.js';
import { delayedRuns } from './0028-delayed-runs.js';
import { branches } from './0020-branches.js';
import { assistants } from './0022-assistants.js';
import { runWords } from './0032-run-words.js';
import { indexesOfRuns } from './0033-indexes-of-runs.js';
import { feedback } from './0041-feedback.js';
import { runsByFeedback } from './0042-runs-by-feedback.js';
import { runMessages } from './0043-run-messages.js';
import { threadMetadata } from './0021-thread-metadata.js';
import { objects } from './0035-objects.js';
import { uploads } from './0030-uploads.js';
import { threadCopies } from './0039-thread-copies.js';
import { delayedRunsOfOwner } from './0040-delayed-runs-of-owner.js';
import { takeStream } from './0055-take-stream.js';
import { threadLifetimes } from './0052-thread-lifetimes.js';

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
  runLists,
  traceparent,
  spending,
  blobs,
  continuedRuns,
  runsByFigure,
  threadMarks,
  branches,
  waitingRuns,
  threadMetadata,
  assistants,
  runWords,
  uploads,
  itemNumbers,
  delayedRuns,
  indexesOfRuns,
  feedback,
  runsByFeedback,
  objects,
  threadCopies,
  delayedRunsOfOwner,
  takeStream,
  threadLifetimes,
  runMessages,
];

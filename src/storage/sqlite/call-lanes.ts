import type { Operations } from './worker/operations.js';

export type OperationName = keyof Operations;

/**
 * Kind of a call for the worker. `work` is what runs cannot go on without, and is never held up; `starts` bring bytes from outside;
 * `files` bring many, and no start waits for them; `lookups` answer with a row; `states` with what a graph remembers; `pages` with a piece of a log or of a list.
 */
export type LaneName = 'work' | 'starts' | 'files' | 'lookups' | 'states' | 'pages';

export interface Lane {
  /** Calls that the worker may have at a time. */
  readonly maxCalls: number;
  /** Bytes of input that the worker may have at a time; one call may be larger, and is alone then. */
  readonly maxBytes: number;
  /** True when its calls are made one by one, and each waits for the writes that have come meanwhile. */
  readonly yields: boolean;
}

const MIB = 1024 * 1024;

/**
 * Rules of the lanes. Calls that wait are kept in this process's memory once. What was sent is there twice, and its answers a third
 * time.
 */
export const LANES: Readonly<Record<LaneName, Lane>> = {
  work: { maxCalls: Infinity, maxBytes: Infinity, yields: false },
  starts: { maxCalls: Infinity, maxBytes: 4 * MIB, yields: false },
  files: { maxCalls: Infinity, maxBytes: 4 * MIB, yields: false },
  lookups: { maxCalls: 32, maxBytes: Infinity, yields: false },
  states: { maxCalls: 4, maxBytes: Infinity, yields: true },
  pages: { maxCalls: 4, maxBytes: Infinity, yields: true },
};

export interface OperationTraits {
  readonly lane: LaneName;
  /**
   * Rule for a call whose worker died before it replied. `told`: with `isRetry` in its input, because what the first attempt did has
   * to be recognized. Absent: the caller learns that the outcome is unknown.
   */
  readonly repeats?: 'as-it-is' | 'told';
}

export const OPERATIONS: Readonly<Record<OperationName, OperationTraits>> = {
  append: { lane: 'work', repeats: 'told' },
  renewRuns: { lane: 'work', repeats: 'as-it-is' },
  releaseRun: { lane: 'work', repeats: 'as-it-is' },
  requestCancel: { lane: 'work', repeats: 'as-it-is' },
  claimRun: { lane: 'work' },
  putCheckpoint: { lane: 'work', repeats: 'as-it-is' },
  putWrites: { lane: 'work', repeats: 'as-it-is' },
  deleteCheckpoints: { lane: 'work', repeats: 'as-it-is' },
  deleteThread: { lane: 'work', repeats: 'as-it-is' },
  deleteRun: { lane: 'work', repeats: 'as-it-is' },
  changeThread: { lane: 'work', repeats: 'as-it-is' },
  setFeedback: { lane: 'work', repeats: 'as-it-is' },
  deleteIdleThreads: { lane: 'work' },
  deleteExpiredThreads: { lane: 'work' },
  listUncompacted: { lane: 'work' },
  listUsage: { lane: 'work' },
  chargeUsage: { lane: 'work' },
  listUnindexed: { lane: 'work' },
  usedBytes: { lane: 'work' },
  shrink: { lane: 'work' },
  check: { lane: 'work', repeats: 'as-it-is' },
  noteFull: { lane: 'work' },
  createShared: { lane: 'work', repeats: 'as-it-is' },
  setShared: { lane: 'work', repeats: 'as-it-is' },
  deleteShared: { lane: 'work', repeats: 'as-it-is' },
  touchItems: { lane: 'work', repeats: 'as-it-is' },
  deleteItems: { lane: 'work', repeats: 'as-it-is' },
  deleteExpiredItems: { lane: 'work', repeats: 'as-it-is' },
  deleteUploads: { lane: 'work', repeats: 'as-it-is' },
  deleteExpiredUploads: { lane: 'work', repeats: 'as-it-is' },
  deleteOldestUploads: { lane: 'work' },
  noteObject: { lane: 'work', repeats: 'as-it-is' },
  giveUpObject: { lane: 'work', repeats: 'as-it-is' },
  claimObjects: { lane: 'work', repeats: 'as-it-is' },
  forgetObjects: { lane: 'work', repeats: 'as-it-is' },
  deleteAssistant: { lane: 'work', repeats: 'as-it-is' },
  deleteAssistants: { lane: 'work', repeats: 'as-it-is' },
  createRun: { lane: 'starts', repeats: 'told' },
  createThread: { lane: 'starts', repeats: 'as-it-is' },
  copyThread: { lane: 'files', repeats: 'as-it-is' },
  answerRun: { lane: 'starts', repeats: 'as-it-is' },
  changeMessages: { lane: 'work', repeats: 'as-it-is' },
  compactLog: { lane: 'starts' },
  indexRun: { lane: 'starts', repeats: 'as-it-is' },
  changeItems: { lane: 'starts', repeats: 'as-it-is' },
  putAssistant: { lane: 'starts', repeats: 'as-it-is' },
  putBlob: { lane: 'files', repeats: 'as-it-is' },
  putUpload: { lane: 'files', repeats: 'as-it-is' },
  getRun: { lane: 'lookups', repeats: 'as-it-is' },
  findByKey: { lane: 'lookups', repeats: 'as-it-is' },
  getThread: { lane: 'lookups', repeats: 'as-it-is' },
  getShared: { lane: 'lookups', repeats: 'as-it-is' },
  listShared: { lane: 'lookups', repeats: 'as-it-is' },
  getAssistant: { lane: 'lookups', repeats: 'as-it-is' },
  hasBlob: { lane: 'lookups', repeats: 'as-it-is' },
  measureBlobs: { lane: 'lookups', repeats: 'as-it-is' },
  describeBlobs: { lane: 'lookups', repeats: 'as-it-is' },
  getItems: { lane: 'lookups', repeats: 'as-it-is' },
  getCheckpoint: { lane: 'states', repeats: 'as-it-is' },
  getWrites: { lane: 'states', repeats: 'as-it-is' },
  // As much as a thread has of them: it may be what the worker died of.
  listCheckpoints: { lane: 'states' },
  getBlob: { lane: 'pages', repeats: 'as-it-is' },
  listExpired: { lane: 'pages', repeats: 'as-it-is' },
  readLog: { lane: 'pages', repeats: 'as-it-is' },
  listRuns: { lane: 'pages', repeats: 'as-it-is' },
  listNodes: { lane: 'pages', repeats: 'as-it-is' },
  findRuns: { lane: 'pages', repeats: 'as-it-is' },
  listFeedback: { lane: 'pages', repeats: 'as-it-is' },
  listSpending: { lane: 'pages', repeats: 'as-it-is' },
  sumUsage: { lane: 'pages', repeats: 'as-it-is' },
  countUnended: { lane: 'lookups', repeats: 'as-it-is' },
  listThreads: { lane: 'pages', repeats: 'as-it-is' },
  searchThreads: { lane: 'pages', repeats: 'as-it-is' },
  listAssistants: { lane: 'pages', repeats: 'as-it-is' },
  searchItems: { lane: 'pages', repeats: 'as-it-is' },
  listItemPaths: { lane: 'pages', repeats: 'as-it-is' },
};

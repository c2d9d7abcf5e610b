// Storages
export { SqliteStorage } from './sqlite/sqlite.storage.js';
export type { SqliteStorageOptions } from './sqlite/sqlite.storage.js';
export { MemoryStorage } from './memory/memory.storage.js';

// The ports, for one of your own
export { Storage } from './storage.js';
export { OpenStreams } from '../throttling/open-streams.js';
export { RunStartCounter } from '../throttling/run-start.counter.js';
export type { ThrottlingCounters } from '../throttling/throttling.options.js';
export { AssistantStore } from '../agents/assistant.store.js';
export type { StoredAssistant } from '../agents/assistant.store.js';
export { ItemStore } from '../agents/item.store.js';
export type {
  FoundItem,
  ItemChange,
  ItemLimits,
  ItemName,
  ItemQuery,
  ItemScope,
  StoredItem,
} from '../agents/item.store.js';
export { ObjectStore } from './objects/object.store.js';
export { BlobStore } from '../runs/blob.store.js';
export type { NewBlob, StoredBlob } from '../runs/blob.store.js';
export type { Feedback, FeedbackRequest, GivenFeedback } from '../runs/feedback.js';
export { EventLog } from '../runs/event-log.js';
export type { AppendBatch, AppendResult, RunEnding } from '../runs/event-log.js';
export { Retention } from '../runs/retention.js';
export type { DeletedThread, IdleThreads } from '../runs/retention.js';
export type { RunDeletion, RunDeletionResult } from '../runs/run-deletion.js';
export { RunStore } from '../runs/run.store.js';
export type {
  DecideResult,
  CreateResult,
  NewDecisions,
  NewRun,
  NewThread,
  Page,
  PageRequest,
  RenewResult,
  RunOwnership,
} from '../runs/run.store.js';
export type { ThreadCopy, ThreadCopyResult } from '../runs/thread-copy.js';
export { SharedState } from '../shared-state.js';
export type { SharedValue } from '../shared-state.js';
export { Wakeups } from '../runs/wakeups.js';
export type { WakeupTopic } from '../runs/wakeups.js';

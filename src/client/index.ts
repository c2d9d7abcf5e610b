// The chat
export { ChatService } from './chat.service.js';
export type { ClientTool } from '../events/client-tool.js';
export type { ChatServiceOptions, EventSourceConstructor } from './chat-service.options.js';
export type { MessagePart, RegenerateOptions, StartOptions, UploadOptions } from './start.options.js';
export { findVersion } from './find-version.js';
export type { Version } from './find-version.js';
export { ChatError } from './chat.error.js';
export { newIdempotencyKey } from './idempotency-key.js';
export type { Backoff } from './backoff.js';
export type { HeaderSource } from './chat-api.js';
export type * from './chat.types.js';

// A run, followed
export { RunHandle } from './run-handle.js';
export type { ConnectionState, RunObserver, RunSnapshot, RunStream, Subscription } from './run-stream.js';
export type { EventSourceLike } from './run.subscription.js';

// Its log, and its course along time
export { formatRunLogs, parseRunLogs } from './run-log.js';
export type { LogQuery, RunHead, RunLog } from './run-log.js';
export { foldTimeline } from '../events/fold-timeline.js';
export { measureRun, TIME_SHARES } from '../events/run-figures.js';
export type { RunFigures, TimeShare } from '../events/run-figures.js';
export type * from '../events/run-timeline.js';
export type { RecordedEvent } from '../events/recorded-event.js';

// What there is to show of it
export { applyEvent, emptyView, foldRun, getText, withDecisions } from '../events/run-view.js';
export { describeOmission } from '../events/message-part.js';
export type { FileFacts, FileOmission, PlacedFile, SourceFacts } from '../events/message-part.js';
export type {
  ApprovalDecision,
  InputAnswer,
  RequestedInput,
  ValueAnswer,
} from '../events/requested-input.js';
export type {
  ApprovalPart,
  ClientToolPart,
  CustomPart,
  ElicitationPart,
  FilePart,
  InputPart,
  InterruptPart,
  PersonPart,
  ReasoningPart,
  RunView,
  SourcePart,
  TextPart,
  ToolPart,
  ViewPart,
} from '../events/run-view.js';
export type { PublicError, RunEvent, RunOutcome, ToolOutcome, Usage } from '../events/run-event.js';

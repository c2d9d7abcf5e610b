// The chat
export { ChatService } from './chat.service.js';
export type { ChatServiceOptions, EventSourceConstructor, StartOptions } from './chat.service.js';
export { ChatError } from './chat.error.js';
export { newIdempotencyKey } from './idempotency.key.js';
export type { Backoff } from './backoff.js';
export type { HeaderSource } from './chat.api.js';
export type * from './chat.types.js';

// A run, followed
export { RunHandle } from './run.handle.js';
export type { ConnectionState, RunObserver, RunSnapshot, RunStream, Subscription } from './run.stream.js';
export type { EventSourceLike } from './run.subscription.js';

// What there is to show of it
export { applyEvent, emptyView, foldRun, textOf, withDecisions } from '../events/run-view.js';
export type { Approval, ApprovalAnswer } from '../events/approval.js';
export type {
  ApprovalPart,
  CustomPart,
  ReasoningPart,
  RunView,
  TextPart,
  ToolPart,
  ViewPart,
} from '../events/run-view.js';
export type { PublicError, RunEvent, RunOutcome, ToolOutcome, Usage } from '../events/run-event.js';

// The chat
export { ChatService } from './chat.service.js';
export type { ClientTool } from '../events/client-tool.js';
export type { ChatServiceOptions, EventSourceConstructor, StartOptions } from './chat.service.js';
export { ChatError } from './chat.error.js';
export { newIdempotencyKey } from './idempotency-key.js';
export type { Backoff } from './backoff.js';
export type { HeaderSource } from './chat-api.js';
export type * from './chat.types.js';

// A run, followed
export { RunHandle } from './run-handle.js';
export type { ConnectionState, RunObserver, RunSnapshot, RunStream, Subscription } from './run-stream.js';
export type { EventSourceLike } from './run.subscription.js';

// What there is to show of it
export { applyEvent, emptyView, foldRun, getText, withDecisions } from '../events/run-view.js';
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
  InputPart,
  InterruptPart,
  ReasoningPart,
  RunView,
  TextPart,
  ToolPart,
  ViewPart,
} from '../events/run-view.js';
export type { PublicError, RunEvent, RunOutcome, ToolOutcome, Usage } from '../events/run-event.js';

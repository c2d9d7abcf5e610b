import type { Subagent } from '../../events/subagent.js';
import type { Usage } from '../../events/run-event.js';

/**
 * The chunks of the AI SDK's UI message stream, version 1, as far as runs need them; `ai` reads them strictly and refuses a
 * type that it does not know. All but `reset-step` (since 7), `tool-approval-request` and `tool-output-denied` (since 6) are read
 * since 5.
 */
export type AiSdkChunk =
  | { readonly type: 'start'; readonly messageId: string; readonly messageMetadata: StartMetadata }
  | { readonly type: 'start-step' | 'finish-step' | 'reset-step' }
  | WordsStart
  | WordsDelta
  | WordsEnd
  | FileChunk
  | SourceChunk
  | ToolInput
  | { readonly type: 'tool-output-available'; readonly toolCallId: string; readonly output: unknown }
  | { readonly type: 'tool-output-error'; readonly toolCallId: string; readonly errorText: string }
  | { readonly type: 'tool-output-denied'; readonly toolCallId: string }
  | { readonly type: 'tool-approval-request'; readonly approvalId: string; readonly toolCallId: string }
  | { readonly type: `data-${string}`; readonly id?: string; readonly data: unknown }
  | { readonly type: 'error'; readonly errorText: string }
  | { readonly type: 'abort'; readonly reason: string }
  | {
      readonly type: 'finish';
      readonly finishReason: 'stop' | 'length' | 'content-filter' | 'tool-calls' | 'other';
      readonly messageMetadata: FinishMetadata;
    };

export interface WordsStart {
  readonly type: 'text-start' | 'reasoning-start';
  readonly id: string;
  /** The agent that says it, where it is not the run's own. The SDK keeps it with the part. */
  readonly providerMetadata?: OfSubagent;
}

/** In the SDK's metadata of a part, under our name. */
export interface OfSubagent {
  readonly agentStream: { readonly subagent: Subagent };
}

/** In the SDK's metadata of a file or a source, under our name: what it has no field for. */
export interface OfPart {
  readonly agentStream: {
    readonly subagent?: Subagent;
    readonly toolCallId?: string;
    readonly name?: string;
    readonly bytes?: number;
    readonly fileId?: string;
    readonly omitted?: string;
    readonly quote?: string;
  };
}

export interface FileChunk {
  readonly type: 'file';
  readonly mediaType: string;
  readonly url: string;
  readonly providerMetadata?: OfPart;
}

export type SourceChunk =
  | {
      readonly type: 'source-url';
      readonly sourceId: string;
      readonly url: string;
      readonly title?: string;
      readonly providerMetadata?: OfPart;
    }
  | {
      readonly type: 'source-document';
      readonly sourceId: string;
      readonly mediaType: string;
      readonly title: string;
      readonly providerMetadata?: OfPart;
    };

export interface WordsDelta {
  readonly type: 'text-delta' | 'reasoning-delta';
  readonly id: string;
  readonly delta: string;
}

export interface WordsEnd {
  readonly type: 'text-end' | 'reasoning-end';
  readonly id: string;
}

export interface ToolInput {
  readonly type: 'tool-input-available';
  readonly toolCallId: string;
  readonly toolName: string;
  readonly input: unknown;
  /** Label that people read while the tool runs, or the question. */
  readonly title: string;
  /** The client has no type for it. */
  readonly dynamic: true;
  readonly providerMetadata?: OfSubagent;
  /** By this server, or an automatic re-submit would take the call for one that the client has to make. Absent where it has to. */
  readonly providerExecuted?: true;
}

/** The message's `metadata` from its start: it tells where the native API has this run. */
export interface StartMetadata {
  readonly runId: string;
  readonly threadId: string;
  readonly agent: string;
}

/** Metadata that is added at the end. */
export interface FinishMetadata {
  /** The parts are named as in the SDK's own `LanguageModelUsage`. */
  readonly usage: Usage;
  readonly durationMs: number;
}

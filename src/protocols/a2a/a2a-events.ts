import type { Subagent } from '../../events/subagent.js';

/** The subset of A2A 1.0 that we send (https://a2a-protocol.org). One of them is the `result` of a JSON-RPC response. */
export type A2aUpdate =
  | { readonly task: A2aTask }
  | {
      readonly statusUpdate: {
        readonly taskId: string;
        readonly contextId: string;
        readonly status: A2aStatus;
        readonly metadata?: Readonly<Record<string, unknown>>;
      };
    }
  | {
      readonly artifactUpdate: {
        readonly taskId: string;
        readonly contextId: string;
        readonly artifact: A2aArtifact;
        /** Behind what the artifact has; otherwise in its place. */
        readonly append: boolean;
        readonly lastChunk: boolean;
      };
    };

/** A run with those that go on after its approvals: the id of the first is the task's, its thread's is the context's. */
export interface A2aTask {
  readonly id: string;
  readonly contextId: string;
  readonly status: A2aStatus;
  readonly artifacts: readonly A2aArtifact[];
  readonly history: readonly A2aMessage[];
}

export interface A2aStatus {
  readonly state: A2aState;
  /** ISO 8601. */
  readonly timestamp: string;
  readonly message?: A2aMessage;
}

export type A2aState =
  | 'TASK_STATE_SUBMITTED'
  | 'TASK_STATE_WORKING'
  | 'TASK_STATE_COMPLETED'
  | 'TASK_STATE_FAILED'
  | 'TASK_STATE_CANCELED'
  | 'TASK_STATE_INPUT_REQUIRED';

/** A part of the answer: what a model said in one go. */
export interface A2aArtifact {
  readonly artifactId: string;
  readonly parts: readonly (A2aTextPart | A2aFilePart)[];
  /** The agent that says it, where it is not the run's own. */
  readonly metadata?: { readonly subagent: Subagent };
}

export interface A2aMessage {
  readonly messageId: string;
  readonly contextId: string;
  readonly taskId: string;
  readonly role: 'ROLE_USER' | 'ROLE_AGENT';
  readonly parts: readonly A2aPart[];
}

export interface A2aTextPart {
  readonly text: string;
}

export interface A2aFilePart {
  readonly url: string;
  readonly mediaType: string;
  readonly filename?: string;
}

export type A2aPart = A2aTextPart | A2aFilePart | { readonly data: Readonly<Record<string, unknown>> };

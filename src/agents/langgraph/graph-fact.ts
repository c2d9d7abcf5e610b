import type { UsageReport } from '../../events/run-event.js';
import type { MessagePart } from './message-parts.js';

/** A node's place in a graph, as LangGraph writes it: `node:taskId`, and `outer:taskId|inner:taskId` inside a subgraph. */
export type Namespace = string;

/** A fact that a running graph reports, in the order of reports. A `modelCallId` is unique in its run. */
export type GraphFact =
  | { readonly kind: 'step-started'; readonly namespace: Namespace; readonly work?: StepWork }
  | { readonly kind: 'step-finished'; readonly stepId: string }
  /** It has thrown; a graph with a retry policy runs it again. */
  | { readonly kind: 'step-failed'; readonly stepId: string }
  | {
      readonly kind: 'token';
      readonly modelCallId: string;
      readonly namespace: Namespace;
      readonly words: TextChunk;
    }
  | {
      readonly kind: 'model-finished';
      readonly modelCallId: string;
      readonly namespace: Namespace;
      readonly usage?: ModelUsage;
    }
  | {
      readonly kind: 'model-failed';
      readonly modelCallId: string;
      readonly namespace: Namespace;
      readonly usage?: ModelUsage;
    }
  /** Words that were held back until the step was over, and may be said now. */
  | { readonly kind: 'said-late'; readonly stepId: string; readonly words: TextChunk }
  /** A message of the step was replaced or removed; `kept` is what of its words stands. */
  | { readonly kind: 'taken-back'; readonly stepId: string; readonly kept: readonly TextChunk[] }
  /** A node, or a tool in it, has written an event of its own. */
  | { readonly kind: 'written'; readonly namespace: Namespace; readonly value: unknown };

/** The work that a step begins, as a callback reports it. */
export interface StepWork {
  /** The name that LangChain's `createAgent` gives to all that its agent does. */
  readonly agent?: string;
  /** It is a task of the functional API: a part of its graph, and no graph of its own. */
  readonly isTask?: boolean;
  /** The innermost call of a tool that it is part of. */
  readonly call?: EnclosingCall;
}

/** A call of a tool in which a graph is at work. */
export interface EnclosingCall {
  readonly toolCallId: string;
  readonly toolName: string;
  readonly stepId: string;
}

/** The content for people in a message, or in a chunk of one. */
export interface TextChunk {
  readonly text: string;
  readonly reasoning: string;
  /** Of a whole message: its files and sources. Absent: none. */
  readonly parts?: readonly MessagePart[];
}

export type ModelUsage = Omit<UsageReport, 'type' | 'stepId'>;

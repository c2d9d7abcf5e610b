import type { RunState } from '../../events/run-state.js';
import type { CustomEvent, RunOutcome, ToolEnd } from '../../events/run-event.js';
import type { LangGraphMessage, MessageBlock, StateValues, UsageMetadata } from './langgraph-events.js';
import type { LangGraphInterrupt } from './langgraph-interrupts.js';

/** The stream modes that a client may ask for. */
export const STREAM_MODES = [
  'values',
  'updates',
  'messages-tuple',
  'messages',
  'custom',
  'tools',
  'tasks',
  'checkpoints',
  'debug',
  'events',
] as const;
export type StreamMode = (typeof STREAM_MODES)[number];

/** True for modes that tell of each state of a run, which the run has to keep for it. */
export function needStates(modes: readonly string[] | null | undefined): boolean {
  return modes?.some((mode) => mode === 'tasks' || mode === 'checkpoints' || mode === 'debug') ?? false;
}

/** A frame of `runs/stream`: the event's name is the mode's, but for those that every stream has. */
export type RunStreamChunk =
  | { readonly event: 'metadata'; readonly data: RunNames & { readonly attempt: 1 } }
  | { readonly event: 'values'; readonly data: RunValues }
  | { readonly event: 'updates' | OfNamespace<'updates'>; readonly data: StepUpdate | Interrupts }
  | {
      readonly event: 'messages' | OfNamespace<'messages'>;
      readonly data: readonly [MessageChunk, MessageMetadata];
    }
  | {
      readonly event: 'messages/metadata';
      readonly data: Readonly<Record<string, { readonly metadata: MessageMetadata }>>;
    }
  | { readonly event: 'messages/partial' | 'messages/complete'; readonly data: readonly [LangGraphMessage] }
  | { readonly event: 'custom'; readonly data: unknown }
  | { readonly event: 'tools'; readonly data: ToolNews }
  | { readonly event: 'tasks' | 'checkpoints' | 'debug' | 'events'; readonly data: object }
  | { readonly event: 'error'; readonly data: { readonly error: string; readonly message: string } };

/** The name of a frame about a subgraph: the mode, and the segments of the subgraph's namespace. */
type OfNamespace<Mode extends string> = `${Mode}|${string}`;

export interface RunNames {
  readonly run_id: string;
  readonly thread_id: string;
}

/** A cancelled run and one that waits for a person are both interrupted here. */
export const END_STATUS = {
  completed: 'success',
  failed: 'error',
  cancelled: 'interrupted',
  'awaiting-input': 'interrupted',
} as const satisfies Record<RunOutcome, string>;

export interface Interrupts {
  readonly __interrupt__: readonly LangGraphInterrupt[];
}

export type RunValues = RunState & Partial<Pick<StateValues, 'messages'> & Interrupts>;

/** By the name of the step: the messages that it wrote or changed, or the keys of the state as they are with what it wrote. */
export type StepUpdate = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** A chunk that clients join to the message with its id. Of a message that is whole there is one; `remove` makes them begin it again. */
export type MessageChunk =
  | {
      readonly type: 'AIMessageChunk';
      readonly id: string;
      readonly content: string | readonly (MessageBlock & { readonly index?: number })[];
      readonly tool_call_chunks?: readonly ToolCallChunk[];
      readonly response_metadata?: { readonly finish_reason: string };
      readonly usage_metadata?: UsageMetadata;
    }
  | Extract<LangGraphMessage, { readonly type: 'tool' }>
  | { readonly type: 'remove'; readonly id: string; readonly content: '' };

export interface ToolCallChunk {
  readonly type: 'tool_call_chunk';
  readonly index: number;
  readonly id: string;
  readonly name: string;
  /** JSON. */
  readonly args: string;
}

export interface MessageMetadata extends RunNames {
  readonly langgraph_node: string;
  readonly tags: readonly string[];
  /** Of a step inside a subgraph: its place, and the name of the agent. */
  readonly langgraph_checkpoint_ns?: string;
  readonly checkpoint_ns?: string;
  readonly lc_agent_name?: string;
}

export type ToolNews = ToolFact & { readonly toolCallId: string; readonly name: string };

export type ToolFact =
  | { readonly event: 'on_tool_start'; readonly input: unknown; readonly label: string }
  | { readonly event: 'on_tool_event'; readonly data: unknown }
  | { readonly event: 'on_tool_end'; readonly output: unknown }
  | { readonly event: 'on_tool_error'; readonly error: { readonly code: string; readonly message: string } };

export function toToolFact({ outcome, output = null, error }: ToolEnd): ToolFact {
  if (outcome === 'ok') return { event: 'on_tool_end', output };
  const { code = 'TOOL_FAILED', message = `The call ended: ${outcome}.` } = error ?? {};
  return { event: 'on_tool_error', error: { code, message } };
}

/** As the graph wrote it: of `{ name, data }` the log has the two apart, of anything else the whole as data. */
export function toWritten({ name, data }: CustomEvent): unknown {
  const isPlain =
    name === 'custom' || (typeof data === 'object' && data !== null && 'type' in data && data.type === name);
  return isPlain ? data : { name, data };
}

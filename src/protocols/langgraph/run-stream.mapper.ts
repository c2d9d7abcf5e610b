import type { RecordedEvent } from '../../events/recorded-event.js';
import type { CustomEvent, InputRequest, RunEnd, StateChange, ToolEnd } from '../../events/run-event.js';
import { isCall } from '../../events/requested-input.js';
import { toMessageId, toResultId, type TranscriptEntry } from '../transcript/transcript-entries.js';
import type { Transcript } from '../transcript/transcript.js';
import { toInterrupt } from './langgraph-interrupts.js';
import { toLangGraphMessage, toValues } from './langgraph-messages.js';
import {
  END_STATUS,
  type MessageChunk,
  type MessageMetadata,
  type RunNames,
  type RunStreamChunk,
  type RunValues,
  type StreamMode,
  type ToolFact,
} from './run-stream-chunks.js';
import { MessageChunks } from './run-stream-messages.js';

/** The facts beside its log that the mapping of a run depends on. */
export interface StreamedRun {
  readonly runId: string;
  readonly threadId: string;
  /** The thread up to the run's question; carried on with what is mapped. */
  readonly transcript: Transcript;
  readonly modes: ReadonlySet<StreamMode>;
}

/**
 * A run's log in the words of LangGraph's `runs/stream`: in each mode that is asked for, and in no other, since some of them
 * repeat the whole conversation. `metadata` comes first and `end` last, whatever the modes.
 */
export class RunStreamMapper {
  private readonly names: RunNames;
  private readonly messages: MessageChunks;
  private readonly stepNames = new Map<string, string>();
  private readonly toolNames = new Map<string, string>();
  /** The inputs that wait for a person, by id. A step that is made again asks again, for the same. */
  private readonly pending = new Map<string, InputRequest>();

  constructor(private readonly run: StreamedRun) {
    this.names = { run_id: run.runId, thread_id: run.threadId };
    this.messages = new MessageChunks(run.transcript);
  }

  readonly map = (recorded: RecordedEvent): RunStreamChunk[] => {
    const { event } = recorded;
    const pieces = this.messages.map(recorded);
    switch (event.type) {
      case 'run-start':
        return [{ event: 'metadata', data: this.names }, ...this.values()];
      case 'step-start':
        this.stepNames.set(event.stepId, event.name);
        return [];
      case 'step-end':
        return [...this.update(event), ...this.values()];
      case 'step-reset':
        for (const { inputId, stepId } of this.pending.values())
          if (stepId === event.stepId) this.pending.delete(inputId);
        return [...this.toMessageChunks(pieces), ...this.values()];
      case 'text-start':
      case 'reasoning-start':
        return this.announce(toMessageId(this.run.runId, event.partId));
      case 'text-delta':
      case 'reasoning-delta':
        return [
          ...this.toWholeMessage('partial', toMessageId(this.run.runId, event.partId)),
          ...this.toMessageChunks(pieces),
        ];
      case 'text-end':
      case 'reasoning-end':
        return [];
      case 'tool-start': {
        const { toolCallId, toolName, label, input = {} } = event;
        this.toolNames.set(toolCallId, toolName);
        return [
          ...this.toToolChunk(toolCallId, { event: 'on_tool_start', input, label }),
          ...this.progress({ toolCallId, message: label }),
          ...this.called(pieces, toolCallId),
        ];
      }
      case 'tool-progress': {
        const { type: _, toolCallId, ...data } = event;
        return [
          ...this.toToolChunk(toolCallId, { event: 'on_tool_event', data }),
          ...this.progress({ toolCallId, ...data }),
        ];
      }
      case 'tool-end':
        if (event.outcome === 'awaiting-input') return [];
        return [
          ...this.toToolChunk(event.toolCallId, toToolFact(event)),
          ...this.toWholeMessage('complete', toResultId(this.run.runId, event.toolCallId)),
          ...this.toMessageChunks(pieces),
        ];
      case 'input-request':
        this.pending.set(event.inputId, event);
        return isCall(event) ? this.called(pieces, event.toolCallId) : [];
      case 'state':
        return [...this.written(event), ...this.values()];
      case 'custom':
        return this.in('custom', () => ({ event: 'custom', data: toWritten(event) }));
      case 'usage':
        return this.toMessageChunks(pieces);
      case 'run-resume':
      case 'input-answer':
        return [];
      case 'end':
        return this.end(event);
      default:
        // A newer server may have written this log: what this one does not know, it does not tell.
        event satisfies never;
        return [];
    }
  };

  private in(mode: StreamMode, chunk: () => RunStreamChunk): RunStreamChunk[] {
    return this.run.modes.has(mode) ? [chunk()] : [];
  }

  private values(): RunStreamChunk[] {
    return this.in('values', () => ({ event: 'values', data: this.state() }));
  }

  private state(): RunValues {
    return toValues(this.run.transcript);
  }

  /** Returns the chunk for the output of a step: its own messages, and those of other steps that it has called. */
  private update({ stepId, name }: { readonly stepId: string; readonly name: string }): RunStreamChunk[] {
    return this.in('updates', () => {
      const written = this.run.transcript.entries.filter((entry) => isWrittenBy(stepId, entry));
      return { event: 'updates', data: { [name]: { messages: written.map(toLangGraphMessage) } } };
    });
  }

  /** Returns the chunks for the steps that changed the state, each with the keys that it wrote. */
  private written({ writers = {} }: StateChange): RunStreamChunk[] {
    const state = this.run.transcript.state ?? {};
    const byStep = new Map<string, Record<string, unknown>>();
    for (const [key, stepIds] of Object.entries(writers)) {
      if (!Object.hasOwn(state, key)) continue;
      for (const stepId of stepIds) byStep.set(stepId, { ...byStep.get(stepId), [key]: state[key] });
    }
    return [...byStep].flatMap(([stepId, keys]) =>
      this.in('updates', () => ({
        event: 'updates',
        data: { [this.stepNames.get(stepId) ?? stepId]: keys },
      })),
    );
  }

  /** Last among what an event says: the last frame alone has its id, and a piece that came twice would be joined twice. */
  private toMessageChunks(pieces: readonly MessageChunk[]): RunStreamChunk[] {
    if (!this.run.modes.has('messages-tuple')) return [];
    return pieces.map((piece) => ({ event: 'messages', data: [piece, this.toMetadata(piece.id)] }));
  }

  private announce(id: string): RunStreamChunk[] {
    return this.in('messages', () => ({
      event: 'messages/metadata',
      data: { [id]: { metadata: this.toMetadata(id) } },
    }));
  }

  private toWholeMessage(how: 'partial' | 'complete', id: string): RunStreamChunk[] {
    const entry = this.messages.find(id);
    if (!entry) return [];
    return this.in('messages', () => ({ event: `messages/${how}`, data: [toLangGraphMessage(entry)] }));
  }

  private called(pieces: readonly MessageChunk[], toolCallId: string): RunStreamChunk[] {
    const caller = this.run.transcript.findCaller(toolCallId);
    return [...(caller ? this.toWholeMessage('partial', caller.id) : []), ...this.toMessageChunks(pieces)];
  }

  private toToolChunk(toolCallId: string, news: ToolFact): RunStreamChunk[] {
    const name = this.toolNames.get(toolCallId) ?? '';
    return this.in('tools', () => ({ event: 'tools', data: { toolCallId, name, ...news } }));
  }

  private progress(data: unknown): RunStreamChunk[] {
    return this.in('custom', () => ({ event: 'custom', data: { name: 'tool-progress', data } }));
  }

  private end({ outcome, error }: RunEnd): RunStreamChunk[] {
    const { code = 'RUN_FAILED', message = 'The agent failed.' } = error ?? {};
    const failure: RunStreamChunk = { event: 'error', data: { error: code, message } };
    const end: RunStreamChunk = {
      event: 'end',
      data: { run_id: this.run.runId, status: END_STATUS[outcome] },
    };
    switch (outcome) {
      case 'completed':
      case 'cancelled':
        return [...this.values(), end];
      case 'failed':
        return [...this.values(), failure, end];
      case 'awaiting-input':
        return [...this.interrupted(), end];
    }
  }

  /** Returns the chunks for the inputs that the run waits for. Some clients look for it among the updates, some in the state. */
  private interrupted(): RunStreamChunk[] {
    const interrupts = { __interrupt__: Array.from(this.pending.values(), toInterrupt) };
    return [
      ...this.in('updates', () => ({ event: 'updates', data: interrupts })),
      ...this.in('values', () => ({ event: 'values', data: { ...this.state(), ...interrupts } })),
    ];
  }

  private toMetadata(messageId: string): MessageMetadata {
    const entry = this.messages.find(messageId);
    const stepId = entry && entry.kind !== 'user' ? entry.stepId : '';
    return { ...this.names, langgraph_node: this.stepNames.get(stepId) ?? '', tags: [] };
  }
}

function isWrittenBy(stepId: string, entry: TranscriptEntry): boolean {
  if (entry.kind === 'user') return false;
  return (
    entry.stepId === stepId ||
    (entry.kind === 'assistant' && entry.calls.some((call) => call.stepId === stepId))
  );
}

function toToolFact({ outcome, output = null, error }: ToolEnd): ToolFact {
  if (outcome === 'ok') return { event: 'on_tool_end', output };
  const { code = 'TOOL_FAILED', message = `The call ended: ${outcome}.` } = error ?? {};
  return { event: 'on_tool_error', error: { code, message } };
}

/** As the graph wrote it: of `{ name, data }` the log has the two apart, of anything else the whole as data. */
function toWritten({ name, data }: CustomEvent): unknown {
  const isPlain =
    name === 'custom' || (typeof data === 'object' && data !== null && 'type' in data && data.type === name);
  return isPlain ? data : { name, data };
}

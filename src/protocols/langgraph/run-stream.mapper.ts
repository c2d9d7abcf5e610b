import type { RecordedEvent } from '../../events/recorded-event.js';
import type { CustomEvent, InputRequest, RunEnd, StateChange } from '../../events/run-event.js';
import { isCall } from '../../events/requested-input.js';
import { isInsideCall, type Subagent } from '../../events/subagent.js';
import { toMessageId, toResultId } from '../transcript/transcript-entries.js';
import type { Transcript } from '../transcript/transcript.js';
import { CalledAgents, type CalledPieces } from './called-agents.js';
import { isEmpty } from './langgraph-input.js';
import { toInterrupt } from './langgraph-interrupts.js';
import { toLangGraphMessage, toValues } from './langgraph-messages.js';
import { toNamespace } from './langgraph-namespace.js';
import {
  toToolFact,
  type MessageChunk,
  type MessageMetadata,
  type RunNames,
  type RunStreamChunk,
  type RunValues,
  type StreamMode,
  type ToolFact,
} from './run-stream-chunks.js';
import { isWrittenBy, MessageChunks } from './run-stream-messages.js';
import { Supersteps, type EndedStep, type SuperstepNews } from './supersteps.js';

/** The facts beside its log that the mapping of a run depends on. */
export interface StreamedRun {
  readonly runId: string;
  readonly threadId: string;
  /** The thread up to the run's question; carried on with what is mapped. */
  readonly transcript: Transcript;
  readonly modes: ReadonlySet<StreamMode>;
  /** True if the client wants the output of subgraphs under their namespaces, and that of agents that tools call. Default: false. */
  readonly hasSubgraphs?: boolean;
}

/**
 * A run's log in the words of LangGraph's `runs/stream`: in each mode that is asked for, and in no other, since some of them
 * repeat the whole conversation. `metadata` comes first, whatever the modes.
 */
export class RunStreamMapper {
  private readonly names: RunNames;
  private readonly messages: MessageChunks;
  private readonly called = new CalledAgents();
  private readonly supersteps = new Supersteps();
  /** Messages to tell as complete once their superstep is over. */
  private readonly complete: string[] = [];
  private readonly stepNames = new Map<string, string>();
  /** By step, of those inside a subgraph. */
  private readonly subagents = new Map<string, Subagent>();
  private readonly toolNames = new Map<string, string>();
  /** The keys that the client knows to be left out of the state. */
  private omitted: readonly string[] = [];
  /** The inputs that wait for a person, by id. A step that is made again asks again, for the same. */
  private readonly pending = new Map<string, InputRequest>();

  constructor(private readonly run: StreamedRun) {
    this.names = { run_id: run.runId, thread_id: run.threadId };
    this.messages = new MessageChunks(run.transcript);
  }

  readonly map = (recorded: RecordedEvent): RunStreamChunk[] => {
    const news = this.supersteps.hear(recorded.event);
    const before = news ? this.tell(news) : [];
    return [...before, ...this.mapEvent(recorded)];
  };

  private mapEvent(recorded: RecordedEvent): RunStreamChunk[] {
    const { event } = recorded;
    const called = this.called.map(recorded);
    if (called && event.type !== 'tool-start' && event.type !== 'tool-end')
      return this.toCalledChunks(called);
    const pieces = this.messages.map(recorded);
    switch (event.type) {
      case 'run-start':
        return [{ event: 'metadata', data: { ...this.names, attempt: 1 } }];
      case 'step-start':
        this.stepNames.set(event.stepId, event.name);
        if (event.subagent) this.subagents.set(event.stepId, event.subagent);
        return [];
      case 'step-end':
        this.complete.push(...this.messages.listSpoken(this.run.runId, event.stepId));
        return [];
      case 'step-reset':
        for (const { inputId, stepId } of this.pending.values())
          if (stepId === event.stepId) this.pending.delete(inputId);
        return [...this.toMessageChunks(pieces), ...this.values()];
      case 'file':
      case 'source':
        return [
          ...pieces.flatMap(({ id }) => this.toWholeMessage('partial', id)),
          ...this.toMessageChunks(pieces),
        ];
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
          ...this.toCallChunks(pieces, toolCallId),
          ...this.toCalledChunks(called),
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
          ...this.toCalledChunks(called),
        ];
      case 'input-request':
        this.pending.set(event.inputId, event);
        return isCall(event) ? this.toCallChunks(pieces, event.toolCallId) : [];
      case 'state':
        return this.tellOmitted(event);
      case 'custom':
        return this.in('custom', () => ({ event: 'custom', data: toWritten(event) }));
      case 'usage':
        return this.toMessageChunks(pieces);
      // The state of its step has it.
      case 'message-put':
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
  }

  /** Returns the chunks for a superstep, or for a step that has ended while others of its superstep go on. */
  private tell({ ended, isNewState }: SuperstepNews): RunStreamChunk[] {
    const complete = this.complete.splice(0);
    return [
      ...ended.flatMap((each) => this.update(each)),
      ...(isNewState ? this.values() : []),
      ...complete.flatMap((id) => this.toWholeMessage('complete', id)),
    ];
  }

  private in(mode: StreamMode, chunk: () => RunStreamChunk): RunStreamChunk[] {
    return this.run.modes.has(mode) ? [chunk()] : [];
  }

  private values(): RunStreamChunk[] {
    return this.in('values', () => ({ event: 'values', data: this.state() }));
  }

  private state(): RunValues {
    return toValues(this.run.transcript);
  }

  /** Returns the chunk for the output of a step: its own messages, those of other steps that it has called, and the keys that it wrote. */
  private update({ step: { stepId, name, subagent }, keys, isLate }: EndedStep): RunStreamChunk[] {
    if (subagent && isInsideCall({ subagent }) && !this.run.hasSubgraphs) return [];
    return this.in('updates', () => {
      const { state = {}, entries } = this.run.transcript;
      const written = isLate ? [] : entries.filter((entry) => isWrittenBy(stepId, entry));
      const values = Object.fromEntries(
        keys.flatMap((key) => (Object.hasOwn(state, key) ? [[key, state[key]]] : [])),
      );
      const messages = written.map(toLangGraphMessage);
      const data = { [name]: { ...values, ...((messages.length > 0 || isEmpty(values)) && { messages }) } };
      return { event: this.toFrameName('updates', subagent), data };
    });
  }

  private tellOmitted({ omitted: keys = [] }: StateChange): RunStreamChunk[] {
    if (String(keys) === String(this.omitted)) return [];
    this.omitted = keys;
    return this.in('custom', () => ({ event: 'custom', data: { name: 'state-omitted', data: { keys } } }));
  }

  /** Last among what an event says: the last frame alone has its id, and a piece that came twice would be joined twice. */
  private toMessageChunks(pieces: readonly MessageChunk[]): RunStreamChunk[] {
    if (!this.run.modes.has('messages-tuple')) return [];
    return pieces.map((piece) => ({
      event: this.toFrameName('messages', this.subagents.get(this.findStep(piece.id))),
      data: [piece, this.toMetadata(piece.id)],
    }));
  }

  /** Returns the messages of an agent that a tool calls, for clients that ask for subgraphs: others would show them as the answer. */
  private toCalledChunks(called: CalledPieces | undefined): RunStreamChunk[] {
    if (!called || !this.run.hasSubgraphs || !this.run.modes.has('messages-tuple')) return [];
    const { subagent, stepId, pieces } = called;
    const event = this.toFrameName('messages', subagent);
    return pieces.map((piece) => ({ event, data: [piece, this.describeStep(stepId)] }));
  }

  private toFrameName<Mode extends 'messages' | 'updates'>(mode: Mode, subagent: Subagent | undefined) {
    if (!subagent || !this.run.hasSubgraphs) return mode;
    return `${mode}|${toNamespace(subagent).join('|')}` as const;
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

  private toCallChunks(pieces: readonly MessageChunk[], toolCallId: string): RunStreamChunk[] {
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
    if (outcome === 'awaiting-input') return this.interrupted();
    if (outcome !== 'failed') return [];
    const { code = 'RUN_FAILED', message = 'The agent failed.' } = error ?? {};
    return [{ event: 'error', data: { error: code, message } }];
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
    return this.describeStep(this.findStep(messageId));
  }

  private findStep(messageId: string): string {
    const entry = this.messages.find(messageId);
    return entry && entry.kind !== 'user' ? entry.stepId : '';
  }

  private describeStep(stepId: string): MessageMetadata {
    const name = this.stepNames.get(stepId) ?? '';
    const metadata = { ...this.names, langgraph_node: name, tags: [] };
    const subagent = this.subagents.get(stepId);
    if (!subagent) return metadata;
    const place = [...toNamespace(subagent), `${name}:${stepId}`].join('|');
    return {
      ...metadata,
      langgraph_checkpoint_ns: place,
      checkpoint_ns: place,
      lc_agent_name: subagent.name,
    };
  }
}

/** As the graph wrote it: of `{ name, data }` the log has the two apart, of anything else the whole as data. */
function toWritten({ name, data }: CustomEvent): unknown {
  const isPlain =
    name === 'custom' || (typeof data === 'object' && data !== null && 'type' in data && data.type === name);
  return isPlain ? data : { name, data };
}

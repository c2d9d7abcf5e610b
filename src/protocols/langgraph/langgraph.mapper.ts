import type { RecordedEvent } from '../../events/recorded-event.js';
import type { CustomEvent, InputRequest, RunEnd, ToolEnd } from '../../events/run-event.js';
import { toMessageId } from '../transcript/transcript-entries.js';
import type { Transcript } from '../transcript/transcript.js';
import type {
  ContentBlock,
  LangGraphEvent,
  LangGraphFact,
  LifecycleData,
  MessageData,
} from './langgraph-events.js';
import { toInterrupt } from './langgraph-interrupts.js';
import { toQuestionId } from './langgraph-checkpoints.js';
import { toValues } from './langgraph-messages.js';
import { StepPlaces } from './step-places.js';

/** Numbers that a run has in its thread, and that an event has in its run. More than any run can use. */
const NUMBERS_PER_RUN = 10_000_000;
const NUMBERS_PER_EVENT = 10;

/** The number behind which a run's events are, in its thread. @param index the run's place in its thread, from 0 */
export function seqBefore(index: number): number {
  return (index + 1) * NUMBERS_PER_RUN;
}

/** The place in its thread of the run that has this number; the first one for a number that none has. */
export function getRunIndex(seq: number): number {
  return Math.max(0, Math.floor(seq / NUMBERS_PER_RUN) - 1);
}

/**
 * A run's log as events of its thread. The numbers are a function of the run's place in the thread and the event's in the run,
 * so that a replay has those of the first pass, even if the log has been compacted.
 */
export class LangGraphMapper {
  private readonly parts = new Map<string, { readonly messageId: string; readonly block: ContentBlock }>();
  private readonly places = new StepPlaces();
  /** The inputs that were requested, each with the step that waits for it; undefined once the step was superseded. */
  private readonly requests = new Map<string, string | undefined>();

  /** The keys that the client knows to be left out of the state. */
  private omitted: readonly string[] = [];

  /**
   * @param index the run's place in its thread, from 0
   * @param transcript the thread up to the run's question; carried on with what is mapped
   * @param parentId the run that it continues
   */
  constructor(
    private readonly index: number,
    private readonly transcript: Transcript,
    private readonly parentId?: string,
  ) {}

  map(recorded: RecordedEvent): LangGraphEvent[] {
    const { event } = recorded;
    const facts = this.toFacts(recorded);
    const here = this.places.find(event);
    const first = seqBefore(this.index) + recorded.seq * NUMBERS_PER_EVENT;
    return facts.map(({ method, data, namespace }, offset) => ({
      type: 'event',
      // The SDK reads the run out of ids of this form, and so tells a replay from what is new.
      event_id: `synth:${recorded.runId}:${first + offset}`,
      seq: first + offset,
      method,
      params: {
        namespace: namespace ?? (method === 'tools' ? this.places.findCall(event) : here),
        timestamp: recorded.at,
        data,
      },
    }));
  }

  private toFacts(recorded: RecordedEvent): LangGraphFact[] {
    const { event } = recorded;
    this.transcript.apply(recorded);
    switch (event.type) {
      case 'run-start':
        return [
          lifecycle({ event: 'running', graph_name: event.agent }),
          this.checkpoint(recorded),
          this.values(),
        ];
      case 'text-start':
        return this.open(recorded, event.partId, { type: 'text', text: '' });
      case 'reasoning-start':
        return this.open(recorded, event.partId, { type: 'reasoning', reasoning: '' });
      case 'text-delta':
      case 'reasoning-delta':
        return this.appendText(event.partId, event.delta);
      case 'text-end':
      case 'reasoning-end':
        return this.close(event.partId);
      // A finished message accepts no more blocks, so the state has it.
      case 'file':
      case 'source':
        return [this.values()];
      case 'tool-start': {
        const { toolCallId: tool_call_id, toolName: tool_name, label, input = {} } = event;
        return [
          { method: 'tools', data: { event: 'tool-started', tool_call_id, tool_name, input } },
          progress({ toolCallId: tool_call_id, message: label }),
        ];
      }
      case 'tool-progress': {
        const { type: _, ...payload } = event;
        return [progress(payload)];
      }
      case 'tool-end':
        if (event.outcome === 'awaiting-input') return [];
        return [{ method: 'tools', data: toolEnd(event) }];
      case 'step-start':
        return this.places.begin(event).map((namespace) => inside(namespace, 'started'));
      case 'step-end': {
        const ended = this.places.end(event).map((namespace) => inside(namespace, 'completed'));
        return [this.checkpoint(recorded), this.values(), ...ended];
      }
      case 'state':
        return [this.checkpoint(recorded), this.values(), ...this.tellOmitted()];
      case 'step-reset':
        this.takeBack(event.stepId);
        // A client drops what it has heard and no state had, once the thread runs again.
        return [this.values(), lifecycle({ event: 'running' })];
      case 'input-request': {
        const isKnown = this.requests.has(event.inputId);
        this.requests.set(event.inputId, event.stepId);
        return isKnown ? [] : [requested(event)];
      }
      case 'input-answer':
        return [
          { method: 'input.answered', data: { interrupt_ids: [event.inputId] } },
          ...(event.added ? [this.values()] : []),
        ];
      case 'custom':
        return [{ method: 'custom', data: toCustom(event) }];
      // The state of its step has it.
      case 'message-put':
      case 'checkpoint':
      case 'task':
      case 'run-resume':
      case 'usage':
        return [];
      case 'end':
        return [
          ...this.withdrawn(event),
          this.checkpoint(recorded),
          this.values(),
          lifecycle(toLifecycle(event)),
          // Last, so that the numbers of the others stay when a compacted log no longer says which steps were closed with the run.
          ...this.failed(event),
        ];
      default:
        // A newer server may have written this log: what this one does not know, it does not tell.
        event satisfies never;
        return [];
    }
  }

  /** With the run, the graphs fail that were at work in it: their steps were closed right before. */
  private failed({ outcome }: RunEnd): LangGraphFact[] {
    if (outcome !== 'failed') return [];
    return this.places.endedLast.slice(-MOST_FAILED).map((namespace) => inside(namespace, 'failed'));
  }

  /** Names the keys left out of the state. */
  private tellOmitted(): LangGraphFact[] {
    const { omitted: keys } = this.transcript;
    if (String(keys) === String(this.omitted)) return [];
    this.omitted = keys;
    return [{ method: 'custom', data: { name: 'state-omitted', payload: { keys } } }];
  }

  /** A step that is made again asks again, for the same. */
  private takeBack(stepId: string): void {
    for (const [inputId, asker] of this.requests) if (asker === stepId) this.requests.set(inputId, undefined);
  }

  /** Forgets requests that were superseded, and all of them when the run has ended otherwise. */
  private withdrawn({ outcome }: RunEnd): LangGraphFact[] {
    const ids = [...this.requests]
      .filter(([, asker]) => asker === undefined || outcome !== 'awaiting-input')
      .map(([inputId]) => inputId);
    return ids.length > 0 ? [{ method: 'input.answered', data: { interrupt_ids: ids } }] : [];
  }

  /** Names the state of the next `values`, and the one before it, to which a client returns when it edits a message. */
  private checkpoint({ runId, event }: RecordedEvent): LangGraphFact {
    const answer = { id: runId, parent_id: toQuestionId(runId) };
    if (event.type !== 'run-start') return { method: 'checkpoints', namespace: ROOT, data: answer };
    const before = this.parentId === undefined ? {} : { parent_id: this.parentId };
    const id = event.resumeOf === undefined ? toQuestionId(runId) : runId;
    return { method: 'checkpoints', namespace: ROOT, data: { id, ...before } };
  }

  private values(): LangGraphFact {
    return { method: 'values', namespace: ROOT, data: toValues(this.transcript) };
  }

  private open({ runId }: RecordedEvent, partId: string, block: ContentBlock): LangGraphFact[] {
    const messageId = toMessageId(runId, partId);
    this.parts.set(partId, { messageId, block });
    return [
      message(messageId, { event: 'message-start', role: 'ai', id: messageId }),
      message(messageId, { event: 'content-block-start', index: 0, content: block }),
    ];
  }

  private appendText(partId: string, text: string): LangGraphFact[] {
    const part = this.parts.get(partId);
    if (!part) return [];
    const { messageId, block } = part;
    const isText = block.type === 'text';
    this.parts.set(partId, {
      messageId,
      block: isText ? { ...block, text: block.text + text } : { ...block, reasoning: block.reasoning + text },
    });
    const delta = isText
      ? ({ type: 'text-delta', text: text } as const)
      : ({ type: 'reasoning-delta', reasoning: text } as const);
    return [message(messageId, { event: 'content-block-delta', index: 0, delta })];
  }

  private close(partId: string): LangGraphFact[] {
    const part = this.parts.get(partId);
    this.parts.delete(partId);
    if (!part) return [];
    const { messageId, block } = part;
    return [
      message(messageId, { event: 'content-block-finish', index: 0, content: block }),
      message(messageId, { event: 'message-finish' }),
    ];
  }
}

/** The state is always that of the whole graph, and so is what is said of the run. */
const ROOT: readonly string[] = [];

/** An event has only so many numbers. */
const MOST_FAILED = NUMBERS_PER_EVENT - 4;

/** `run_id` tells messages apart that are spoken side by side. */
function message(messageId: string, data: MessageData): LangGraphFact {
  return { method: 'messages', data: { ...data, run_id: messageId } };
}

function lifecycle(data: LifecycleData, namespace = ROOT): LangGraphFact {
  return { method: 'lifecycle', namespace, data };
}

/** Tells of a graph or a step inside the run's own. */
function inside(namespace: readonly string[], event: LifecycleData['event']): LangGraphFact {
  const segment = namespace.at(-1) ?? '';
  const colon = segment.lastIndexOf(':');
  return lifecycle({ event, graph_name: colon < 0 ? segment : segment.slice(0, colon) }, namespace);
}

/** LangGraph's name for what belongs to a name is `payload`. */
function toCustom({ name, data }: CustomEvent): { readonly name: string; readonly payload: unknown } {
  const isNamed =
    name === 'custom' && typeof data === 'object' && data !== null && 'name' in data && 'payload' in data;
  if (!isNamed || typeof data.name !== 'string') return { name, payload: data };
  return { name: data.name, payload: data.payload };
}

function progress(payload: unknown): LangGraphFact {
  return { method: 'custom', data: { name: 'tool-progress', payload } };
}

function requested(request: InputRequest): LangGraphFact {
  const { id: interrupt_id, value: payload } = toInterrupt(request);
  return { method: 'input.requested', data: { interrupt_id, payload } };
}

function toolEnd({ toolCallId, outcome, output = null, error }: ToolEnd) {
  const tool_call_id = toolCallId;
  if (outcome === 'ok') return { event: 'tool-finished', tool_call_id, output } as const;
  const { code = 'TOOL_FAILED', message = `The call ended: ${outcome}.` } = error ?? {};
  return { event: 'tool-error', tool_call_id, message, code } as const;
}

/** A cancelled run and one that waits for a person are both interrupted here. */
function toLifecycle({ outcome, error }: RunEnd): LifecycleData {
  if (outcome === 'failed') return { event: 'failed', error: error?.message ?? 'The agent failed.' };
  return { event: outcome === 'completed' ? 'completed' : 'interrupted' };
}

import type { RecordedEvent } from '../../events/recorded-event.js';
import type { RunEvent, StepStart } from '../../events/run-event.js';
import { toMessageId } from '../transcript/transcript-entries.js';
import type { MessageChunk, RunStreamChunk } from './run-stream-chunks.js';
import type { StreamedRun } from './streamed-run.js';

/** An event as LangChain's `streamEvents` has it. */
interface ChainEvent {
  readonly event: string;
  readonly name: string;
  readonly run_id: string;
  readonly data: unknown;
}

/**
 * A run's log in the mode `events`, as far as it says what LangChain's callbacks would: the graph and its steps, model calls, and tools whose input people
 * see. Text of a step is that of a model call, until the tokens of that call are counted or the step ends.
 */
export class EventChunks {
  private readonly steps = new Map<string, StepStart>();
  /** The model calls that have spoken and not ended, each with what it says, by step. */
  private readonly calls = new Map<string, string>();
  private readonly stepByPart = new Map<string, string>();
  private readonly tools = new Map<string, { readonly name: string; readonly stepId: string }>();
  private agent = '';

  constructor(private readonly run: StreamedRun) {}

  /** @param pieces what the event adds to messages. @param values returns the state after it */
  map({ event }: RecordedEvent, pieces: readonly MessageChunk[], values: () => unknown): RunStreamChunk[] {
    return this.toEvents(event, pieces, values).map(({ stepId, ...each }) => ({
      event: 'events',
      data: { ...each, tags: [], metadata: this.toMetadata(stepId), parent_ids: this.listParents(stepId) },
    }));
  }

  private toEvents(
    event: RunEvent,
    pieces: readonly MessageChunk[],
    values: () => unknown,
  ): (ChainEvent & { readonly stepId?: string })[] {
    const { runId } = this.run;
    switch (event.type) {
      case 'run-start':
        this.agent = event.agent;
        return [{ event: 'on_chain_start', name: this.agent, run_id: runId, data: { input: values() } }];
      case 'step-start': {
        const { stepId, name } = event;
        this.steps.set(stepId, event);
        return [{ event: 'on_chain_start', name, run_id: stepId, data: {}, stepId }];
      }
      case 'text-start':
      case 'reasoning-start': {
        const { stepId, partId } = event;
        this.stepByPart.set(partId, stepId);
        if (this.calls.has(stepId)) return [];
        return this.begin(stepId, toMessageId(runId, partId));
      }
      case 'text-delta':
      case 'reasoning-delta': {
        const stepId = this.stepByPart.get(event.partId) ?? '';
        return pieces.map((chunk) => this.toCallEvent('on_chat_model_stream', stepId, { chunk }));
      }
      case 'usage': {
        const { stepId = '', failed } = event;
        if (failed) return [];
        const begun = this.calls.has(stepId) ? [] : this.begin(stepId, `${runId}-call-${stepId}`);
        return [...begun, ...this.end(stepId)];
      }
      case 'tool-start': {
        const { toolCallId, toolName: name, stepId, input } = event;
        if (input === undefined) return [];
        this.tools.set(toolCallId, { name, stepId });
        return [{ event: 'on_tool_start', name, run_id: toolCallId, data: { input }, stepId }];
      }
      case 'tool-end': {
        const tool = this.tools.get(event.toolCallId);
        if (!tool) return [];
        const isOk = event.outcome === 'ok';
        const data = isOk
          ? { output: event.output ?? null }
          : { error: event.error?.message ?? event.outcome };
        return [{ event: isOk ? 'on_tool_end' : 'on_tool_error', ...tool, run_id: event.toolCallId, data }];
      }
      case 'custom':
        return [
          {
            event: 'on_custom_event',
            name: event.name,
            run_id: event.stepId ?? runId,
            data: event.data,
            ...(event.stepId !== undefined && { stepId: event.stepId }),
          },
        ];
      case 'step-end': {
        const { stepId, name } = event;
        return [...this.end(stepId), { event: 'on_chain_end', name, run_id: stepId, data: {}, stepId }];
      }
      case 'end':
        if (event.outcome === 'failed') return [];
        return [{ event: 'on_chain_end', name: this.agent, run_id: runId, data: { output: values() } }];
      default:
        return [];
    }
  }

  private begin(stepId: string, callId: string) {
    this.calls.set(stepId, callId);
    return [this.toCallEvent('on_chat_model_start', stepId, {})];
  }

  private end(stepId: string) {
    if (!this.calls.has(stepId)) return [];
    const ended = this.toCallEvent('on_chat_model_end', stepId, {});
    this.calls.delete(stepId);
    return [ended];
  }

  private toCallEvent(event: string, stepId: string, data: unknown) {
    return { event, name: 'model', run_id: this.calls.get(stepId) ?? stepId, data, stepId };
  }

  private toMetadata(stepId: string | undefined) {
    const step = stepId === undefined ? undefined : this.steps.get(stepId);
    const { runId: run_id, threadId: thread_id } = this.run;
    return { run_id, thread_id, ...(step && { langgraph_node: step.name }) };
  }

  /** Lists what the event is inside of, the innermost last. */
  private listParents(stepId: string | undefined): string[] {
    const step = stepId === undefined ? undefined : this.steps.get(stepId);
    if (stepId === undefined) return [];
    return [
      ...(step?.parentStepId === undefined ? [this.run.runId] : this.listParents(step.parentStepId)),
      stepId,
    ];
  }
}

import type { RequestedInput } from '../../events/requested-input.js';
import type { RecordedEvent } from '../../events/recorded-event.js';
import type { FilePut, InputRequest, RunEnd, RunEvent, SourceCited } from '../../events/run-event.js';
import { isInsideCall } from '../../events/subagent.js';
import { toAddressElsewhere, type ToAddress } from '../../events/file-address.js';
import { toCitation, toFileText } from './openai-files.js';
import {
  callStarted,
  cite,
  endedCall,
  newCall,
  newTextItem,
  requestItem,
  getItemText,
  withText,
  textStarted,
  textEnded,
  textDelta,
  type TextItem,
} from './responses-items.js';
import {
  INCOMPLETE,
  isRequest,
  toUsage,
  type CallItem,
  type ItemPosition,
  type MessageItem,
  type OutputItem,
  type ResponseEvent,
  type ResponseObject,
  type UnnumberedEvent,
} from './responses.types.js';

/** An item of the output, with what the protocol does not say of it. */
interface Entry<Item extends OutputItem = OutputItem> {
  readonly item: Item;
  readonly index: number;
  /** The run's own id of the item. */
  readonly key: string;
  readonly stepId?: string;
}

/**
 * A run as a response of OpenAI's Responses API. An item of the output is a part of the run; calls that the server makes are
 * those of an MCP server, because the protocol has no other.
 *
 * The protocol cannot take back what it has said. An item of a step that was taken back ends as `incomplete`, and the
 * `output` of the finished response, which is what counts, is without it.
 */
export class ResponsesMapper {
  private output: readonly Entry[] = [];
  /** Requests from steps that were superseded. If they are asked again, the client already has the item. */
  private readonly unasked = new Map<string, Entry>();
  private readonly inputIds: ReadonlyMap<string, string>;
  /** The calls that the client has made for the response before this one. */
  private readonly clientCalls: ReadonlySet<string>;
  private added = 0;
  private sequence = 0;
  private state: Pick<ResponseObject, 'status' | 'error' | 'usage'> & Partial<ResponseObject> = {
    status: 'queued',
    error: null,
    usage: null,
  };

  /**
   * @param facts what is true of the response from its beginning to its end
   * @param approvals what the response before this one has asked for, when this one goes on with the answers
   * @param toAddress finds the address of a file
   */
  constructor(
    private readonly facts: Omit<ResponseObject, 'status' | 'error' | 'usage' | 'output'>,
    approvals: readonly RequestedInput[] = [],
    private readonly toAddress: ToAddress = toAddressElsewhere,
  ) {
    this.clientCalls = new Set(
      approvals.flatMap((each) => (each.kind === 'client-tool' ? [each.toolCallId] : [])),
    );
    this.inputIds = new Map(
      approvals.flatMap((each) =>
        each.kind === 'approval' ? [[each.toolCallId, each.inputId] as const] : [],
      ),
    );
  }

  /** The response after the events so far. */
  get response(): ResponseObject {
    return { ...this.facts, ...this.state, output: this.output.map(({ item }) => item) };
  }

  readonly map = ({ event }: RecordedEvent): ResponseEvent[] =>
    this.mapEvent(event).map((said) => ({ ...said, sequence_number: this.sequence++ }));

  private mapEvent(event: RunEvent): UnnumberedEvent[] {
    switch (event.type) {
      case 'run-start':
        this.state = { ...this.state, status: 'in_progress' };
        return [
          { type: 'response.created', response: this.response },
          { type: 'response.in_progress', response: this.response },
        ];
      case 'text-start':
      case 'reasoning-start': {
        // The API has no word for an agent that a tool calls.
        if (isInsideCall(event)) return [];
        const { partId, stepId } = event;
        const kind = event.type === 'text-start' ? 'text' : 'reasoning';
        const entry = this.add({
          key: partId,
          stepId,
          item: newTextItem(kind, this.newId(kind === 'text' ? 'msg' : 'rs')),
        });
        return [...added(entry), textStarted(entry.item, toPosition(entry))];
      }
      case 'text-delta':
      case 'reasoning-delta': {
        const entry = this.find<TextItem>(event.partId);
        if (!entry) return [];
        this.replace(entry, withText(entry.item, getItemText(entry.item) + event.delta));
        return [textDelta(entry.item, toPosition(entry), event.delta)];
      }
      case 'file':
        return this.show(event);
      case 'source':
        return this.cite(event);
      case 'text-end':
      case 'reasoning-end': {
        const entry = this.find<TextItem>(event.partId);
        return entry ? this.endText(entry, 'completed') : [];
      }
      case 'tool-start': {
        const { toolCallId, stepId } = event;
        // The client has made it, and has told us the result.
        if (this.clientCalls.has(toolCallId)) return [];
        const item = newCall(event, this.newId('mcp'), this.inputIds.get(toolCallId));
        const entry = this.add({ key: toolCallId, stepId, item });
        return [...added(entry), ...callStarted(entry.item, toPosition(entry))];
      }
      case 'tool-end': {
        const entry = this.find<CallItem>(event.toolCallId);
        // One that waits for an answer is incomplete at the end of its response.
        if (!entry || event.outcome === 'awaiting-input') return [];
        const ended = this.replace(entry, endedCall(entry.item, event));
        const how = event.outcome === 'ok' ? 'completed' : 'failed';
        return [{ type: `response.mcp_call.${how}`, ...toPosition(ended) }, ...done(ended)];
      }
      case 'input-request':
        return this.ask(event);
      case 'step-reset':
        return this.takeBack(event.stepId);
      case 'end':
        return [this.finish(event)];
      case 'run-resume':
      case 'step-start':
      case 'step-end':
      case 'tool-progress':
      case 'input-answer':
      case 'usage':
      case 'state':
      case 'message-put':
      case 'checkpoint':
      case 'task':
      case 'custom':
        return [];
      default:
        // A newer instance may have recorded what this one does not know.
        event satisfies never;
        return [];
    }
  }

  /** A file of the answer is a message that names it. The API cannot express a file from a tool. */
  private show(event: FilePut): UnnumberedEvent[] {
    if (isInsideCall(event) || event.toolCallId !== undefined) return [];
    const { partId, stepId } = event;
    const text = toFileText(event, this.toAddress);
    const item = newTextItem('text', this.newId('msg'));
    const begun = this.add({ key: partId, stepId, item });
    const events = [...added(begun), textStarted(begun.item, toPosition(begun))];
    const entry = this.replace(begun, withText(item, text));
    return [...events, textDelta(entry.item, toPosition(entry), text), ...this.endText(entry, 'completed')];
  }

  /** The sources of a text come before its end. */
  private cite(event: SourceCited): UnnumberedEvent[] {
    const entry = this.output.findLast(
      (each): each is Entry<MessageItem> =>
        each.item.type === 'message' && each.item.status === 'in_progress' && each.stepId === event.stepId,
    );
    const citation = entry && toCitation(event, getItemText(entry.item).length);
    if (!citation) return [];
    const { item, events } = cite(entry.item, toPosition(entry), citation);
    this.replace(entry, item);
    return events;
  }

  private ask(request: InputRequest): UnnumberedEvent[] {
    const { inputId, stepId } = request;
    const again = this.unasked.get(inputId);
    if (again) {
      this.unasked.delete(inputId);
      this.output = [...this.output, again];
      return [];
    }
    const entry = this.add({ key: inputId, stepId, item: requestItem(request) });
    return [...added(entry), ...done(entry)];
  }

  private endText(entry: Entry<TextItem>, status: 'completed' | 'incomplete'): UnnumberedEvent[] {
    const ended = this.replace(entry, { ...withText(entry.item, getItemText(entry.item)), status });
    return [...textEnded(ended.item, toPosition(ended)), ...done(ended)];
  }

  private takeBack(stepId: string): UnnumberedEvent[] {
    const taken = this.output.filter((entry) => entry.stepId === stepId);
    const events = taken.flatMap((entry) => this.breakOff(entry));
    for (const entry of taken) if (isRequest(entry.item)) this.unasked.set(entry.key, entry);
    this.output = this.output.filter((entry) => entry.stepId !== stepId);
    return events;
  }

  /** An item that the client was told of has to end, or the response could not. */
  private breakOff(entry: Entry): UnnumberedEvent[] {
    const { item } = entry;
    if (isRequest(item) || item.status !== 'in_progress') return [];
    if (item.type !== 'mcp_call') return this.endText({ ...entry, item }, 'incomplete');
    return done(this.replace(entry, { ...item, status: 'incomplete' }));
  }

  private finish({ outcome, error, finishReason, usage }: RunEnd): UnnumberedEvent {
    const ended = { error: null, usage: toUsage(usage) };
    switch (outcome) {
      case 'completed': {
        const reason = finishReason && INCOMPLETE[finishReason];
        if (reason) {
          this.state = { ...ended, status: 'incomplete', incomplete_details: { reason } };
          return { type: 'response.incomplete', response: this.response };
        }
        this.state = { ...ended, status: 'completed' };
        return { type: 'response.completed', response: this.response };
      }
      // Answered in the next request; this response is as complete as it gets.
      case 'awaiting-input':
        this.state = { ...ended, status: 'completed' };
        return { type: 'response.completed', response: this.response };
      case 'cancelled':
        this.state = { ...ended, status: 'cancelled' };
        return { type: 'response.incomplete', response: this.response };
      case 'failed': {
        const message = error?.message ?? 'The run failed.';
        this.state = { ...ended, status: 'failed', error: { code: 'server_error', message } };
        return { type: 'response.failed', response: this.response };
      }
      default:
        return outcome satisfies never;
    }
  }

  /** Numbered, because a call that is made again has the same name in the run; with the run's, to be unique beyond it. */
  private newId(kind: 'msg' | 'rs' | 'mcp'): string {
    return `${kind}_${this.facts.id}_${this.added}`;
  }

  private add<Item extends OutputItem>(entry: Omit<Entry<Item>, 'index'>): Entry<Item> {
    const placed: Entry<Item> = { ...entry, index: this.added++ };
    this.output = [...this.output, placed];
    return placed;
  }

  /** The newest of that name: of a call that is made again, the first is over. */
  private find<Item extends OutputItem>(key: string): Entry<Item> | undefined {
    return this.output.findLast((entry) => entry.key === key) as Entry<Item> | undefined;
  }

  private replace<Item extends OutputItem>(entry: Entry, item: Item): Entry<Item> {
    const replaced: Entry<Item> = { ...entry, item };
    this.output = this.output.map((other) => (other.index === entry.index ? replaced : other));
    return replaced;
  }
}

function toPosition({ item, index }: Entry): ItemPosition {
  return { item_id: item.id, output_index: index };
}

function added({ item, index }: Entry): UnnumberedEvent[] {
  return [{ type: 'response.output_item.added', output_index: index, item }];
}

function done({ item, index }: Entry): UnnumberedEvent[] {
  return [{ type: 'response.output_item.done', output_index: index, item }];
}

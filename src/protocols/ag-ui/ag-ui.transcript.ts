import type { AgUiAssistantMessage, AgUiMessage, AgUiToolCall } from './ag-ui.events.js';

interface Call {
  readonly toolCallId: string;
  readonly toolName: string;
  readonly arguments: string;
  readonly stepId: string;
}

type Entry =
  | {
      readonly kind: 'assistant';
      readonly id: string;
      readonly stepId: string;
      text?: string;
      calls: Call[];
    }
  | { readonly kind: 'reasoning'; readonly id: string; readonly stepId: string; text: string }
  | {
      readonly kind: 'result';
      readonly id: string;
      readonly stepId: string;
      readonly toolCallId: string;
      readonly content: string;
    };

/**
 * The messages that an AG-UI client has after the events that it was sent, in the client's order. It is what a snapshot
 * says: to a client that comes back, and when a part of a run is superseded, for which AG-UI has no event.
 */
export class AgUiTranscript {
  private entries: Entry[] = [];
  private readonly earlierCalls: ReadonlySet<string>;

  /** @param history the messages from before the run, the question last */
  constructor(private readonly history: readonly AgUiMessage[]) {
    this.earlierCalls = new Set(history.flatMap((message) => callIdsOf(message)));
  }

  /** The whole conversation. */
  get messages(): AgUiMessage[] {
    return [...this.history, ...this.entries.map(toMessage)];
  }

  /** True when the client knows this call already: from this run, or from the one that it continues. */
  hasCall(toolCallId: string): boolean {
    return this.earlierCalls.has(toolCallId) || this.ownerOf(toolCallId) !== undefined;
  }

  startText(id: string, stepId: string): void {
    this.entries.push({ kind: 'assistant', id, stepId, text: '', calls: [] });
  }

  startReasoning(id: string, stepId: string): void {
    this.entries.push({ kind: 'reasoning', id, stepId, text: '' });
  }

  say(id: string, delta: string): void {
    const entry = this.entries.findLast((candidate) => candidate.id === id);
    if (entry && entry.kind !== 'result') entry.text = (entry.text ?? '') + delta;
  }

  /** @param parentId the assistant message that makes the call; made when there is none */
  call(parentId: string, call: Call): void {
    const parent = this.entries.findLast((entry) => entry.id === parentId);
    if (parent?.kind === 'assistant') parent.calls.push(call);
    else this.entries.push({ kind: 'assistant', id: parentId, stepId: call.stepId, calls: [call] });
  }

  /** A result stands behind the message that made the call, and behind the results that stand there already. */
  result(result: { id: string; toolCallId: string; stepId: string; content: string }): void {
    const owner = this.entries.findIndex(({ id }) => id === this.ownerOf(result.toolCallId)?.id);
    let place = owner === -1 ? this.entries.length : owner + 1;
    while (owner !== -1 && this.entries[place]?.kind === 'result') place++;
    this.entries.splice(place, 0, { kind: 'result', ...result });
  }

  /** Drops what a step has said and called. False when that is nothing. */
  forget(stepId: string): boolean {
    const before = JSON.stringify(this.entries);
    for (const entry of this.entries) {
      if (entry.kind === 'assistant') entry.calls = entry.calls.filter((call) => call.stepId !== stepId);
      if (entry.kind === 'assistant' && entry.stepId === stepId) delete entry.text;
      // A client keeps the reasoning that a snapshot leaves out, so it has to be told that it is empty.
      if (entry.kind === 'reasoning' && entry.stepId === stepId) entry.text = '';
    }
    this.entries = this.entries.filter(
      (entry) => entry.stepId !== stepId || entry.kind === 'reasoning' || hasCalls(entry),
    );
    return JSON.stringify(this.entries) !== before;
  }

  private ownerOf(toolCallId: string): Entry | undefined {
    return this.entries.find(
      (entry) => entry.kind === 'assistant' && entry.calls.some((call) => call.toolCallId === toolCallId),
    );
  }
}

function hasCalls(entry: Entry): boolean {
  return entry.kind === 'assistant' && entry.calls.length > 0;
}

function callIdsOf(message: AgUiMessage): string[] {
  return 'toolCalls' in message ? (message.toolCalls ?? []).map(({ id }) => id) : [];
}

function toMessage(entry: Entry): AgUiMessage {
  const { id } = entry;
  switch (entry.kind) {
    case 'assistant':
      return toAssistantMessage(entry);
    case 'reasoning':
      return { id, role: 'reasoning', content: entry.text };
    case 'result':
      return { id, role: 'tool', toolCallId: entry.toolCallId, content: entry.content };
    default:
      return entry satisfies never;
  }
}

function toAssistantMessage({ id, text, calls }: Extract<Entry, { kind: 'assistant' }>): AgUiAssistantMessage {
  const toolCalls = calls.map((call): AgUiToolCall => ({
    id: call.toolCallId,
    type: 'function',
    function: { name: call.toolName, arguments: call.arguments },
  }));
  return {
    id,
    role: 'assistant',
    ...(text !== undefined && { content: text }),
    ...(toolCalls.length > 0 && { toolCalls }),
  };
}

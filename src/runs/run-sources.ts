import type { MessagePut, RunEvent, ToolEnd, ToolStart } from '../events/run-event.js';
import type { ConversationSources } from '../tools/agent-tool.js';
import { readAllBefore, readAncestors } from './ancestors.js';
import type { EventLog } from './event-log.js';
import { findLastTurn, quotesOthers } from './quoted-history.js';
import { isMessageTo } from './run-inbox.js';
import type { Run } from './run.js';
import type { RunStore } from './run.store.js';

/** Events read at a time. */
const EVENTS = 500;

/** So many earlier runs are looked at. A longer conversation counts as one that has read words of strangers. */
const MOST_RUNS = 1_000;

/**
 * The authors of the text in the memory of a run's conversation: a fold of its log so far, and of the logs before it. Those are read
 * when somebody first asks, which only a call with effects does: a run that makes none pays nothing.
 */
export class RunSources implements ConversationSources {
  private readonly names = new Map<string, string>();
  private readonly own = new Set<string>();
  /** Texts that the person has sent to this run while it was under way. */
  private readonly added: string[] = [];
  private earlier: Promise<readonly string[]> | undefined;
  private written: Promise<readonly string[]> | undefined;

  /** @param isNewThread true if nothing can have come before */
  constructor(
    private readonly run: Run,
    private readonly storage: { readonly runs: RunStore; readonly log: EventLog },
    private readonly options: { readonly isNewThread: boolean },
  ) {}

  /** Hears of each call of this run, and of each message that joins it, by whichever owner. */
  note(event: ToolStart | ToolEnd | MessagePut): void {
    if (event.type === 'message-put') {
      if (isQuoting(event)) this.own.add(FROM_CLIENT);
      if (event.text !== undefined && isMessageTo(this.run, event)) this.added.push(event.text);
    } else if (event.type === 'tool-start') this.names.set(event.toolCallId, event.toolName);
    else if (event.foreign) this.own.add(this.names.get(event.toolCallId) ?? 'a tool');
  }

  async readStrangers(): Promise<readonly string[]> {
    if (this.own.size > 0) return [...this.own];
    if (quotesOthers(this.run.message)) return [FROM_CLIENT];
    this.earlier ??= this.readEarlier().catch((error: unknown) => {
      this.earlier = undefined;
      throw error;
    });
    return this.earlier;
  }

  async readPersonText(): Promise<readonly string[]> {
    this.written ??= this.readMessages();
    return [...this.added.map(findLastTurn), ...(await this.written)];
  }

  private async readMessages(): Promise<readonly string[]> {
    const messages = [this.run.message];
    for await (const run of this.takeMost(readAncestors)) {
      if (run === TOO_MANY) continue;
      const added = run.messages?.filter(({ taken }) => taken) ?? [];
      messages.push(run.message, ...added.map(({ text }) => text));
    }
    return messages.map(findLastTurn);
  }

  /** Of all branches: what a subgraph remembers along the thread may come from any of them. */
  private async readEarlier(): Promise<readonly string[]> {
    for await (const run of this.takeMost(readAllBefore)) {
      if (run === TOO_MANY) return ['an early part of it'];
      if (quotesOthers(run.message)) return [FROM_CLIENT];
      const found = await this.findForeign(run);
      if (found !== undefined) return [found];
    }
    return [];
  }

  /** Newest first. */
  private async *takeMost(
    read: (run: Run, runs: RunStore) => AsyncIterable<Run>,
  ): AsyncGenerator<Run | typeof TOO_MANY> {
    if (this.options.isNewThread) return;
    let seen = 0;
    for await (const run of read(this.run, this.storage.runs)) {
      if (seen >= MOST_RUNS) return yield TOO_MANY;
      seen += 1;
      yield run;
    }
  }

  /** Returns the name of a tool, or of another source, that brought words of strangers into this run; undefined when none did. */
  private async findForeign({ id }: Run): Promise<string | undefined> {
    const names = new Map<string, string>();
    let after = 0;
    for (;;) {
      const page = await this.storage.log.read(id, after, EVENTS);
      for (const { event } of page) {
        if (event.type === 'tool-start') names.set(event.toolCallId, event.toolName);
        if (event.type === 'tool-end' && event.foreign) return names.get(event.toolCallId) ?? 'a tool';
        if (isQuoting(event)) return FROM_CLIENT;
      }
      const last = page.at(-1);
      if (!last) return undefined;
      after = last.seq;
    }
  }
}

const TOO_MANY = Symbol('more runs than are looked at');
const FROM_CLIENT = 'what the client sent of it';

/** True for a message from outside that has turns of others in it. */
function isQuoting(event: RunEvent): boolean {
  return event.type === 'message-put' && event.stepId === undefined && quotesOthers(event.text ?? '');
}

import { nanoid } from 'nanoid';
import { Wakeups, type WakeupTopic } from '../runs/wakeups.js';
import type { ThrottlingCounters } from '../throttling/throttling.options.js';
import { LocalWakeups } from './local-wakeups.js';

/** Carries hints between processes. May lose them. */
export interface HintCarrier {
  /** Counts the limits in place of the storage. Absent: the storage counts. */
  readonly counters?: ThrottlingCounters;

  /** From now on `listener` hears what comes. @throws AppError STORAGE_FAILED when nothing can come */
  open(listener: HintListener): Promise<void>;

  /** Sends to every process that shares the storage, also to this one. Never rejects: what cannot be sent is lost. */
  send(payloads: readonly string[]): Promise<void>;

  /** Harmless when repeated. */
  close(): Promise<void>;
}

export interface HintListener {
  received(payload: string): void;
  /** The carrier was away: hints may have been lost. */
  missed(): void;
}

/** Bytes that fit into one NOTIFY: 8,000, less a little. */
const PAYLOAD_BYTES = 7_900;

/**
 * Hints among processes. Inside this one they go from hand to hand; to the others they go in company: all hints of a turn of the
 * event loop, and all that come while the last ones are on their way, are one message.
 */
export class SharedWakeups extends Wakeups {
  private readonly sender = nanoid(8);
  private readonly local = new LocalWakeups();
  private readonly listened = new Map<WakeupTopic, number>();
  private hinted = new Set<WakeupTopic>();
  private sending = false;

  constructor(private readonly carrier: HintCarrier) {
    super();
  }

  notify(topic: WakeupTopic): void {
    this.local.notify(topic);
    this.hinted.add(topic);
    if (this.sending) return;
    this.sending = true;
    setImmediate(() => void this.sendAll());
  }

  listen(topic: WakeupTopic, wake: () => void): () => void {
    const stop = this.local.listen(topic, wake);
    this.listened.set(topic, (this.listened.get(topic) ?? 0) + 1);
    let listening = true;
    return () => {
      stop();
      if (!listening) return;
      listening = false;
      const others = (this.listened.get(topic) ?? 1) - 1;
      if (others > 0) this.listened.set(topic, others);
      else this.listened.delete(topic);
    };
  }

  /** Something came from the carrier. What is none of ours is passed over: others may use the same channel. */
  received(payload: string): void {
    const [sender, ...topics] = parseTopics(payload);
    if (sender === undefined || sender === this.sender) return;
    for (const topic of topics) this.local.notify(topic as WakeupTopic);
  }

  /** Hints may have been lost: everybody looks. */
  missed(): void {
    for (const topic of this.listened.keys()) this.local.notify(topic);
  }

  private async sendAll(): Promise<void> {
    while (this.hinted.size > 0) {
      const topics = [...this.hinted];
      this.hinted = new Set();
      await this.carrier.send(toPayloads(this.sender, topics));
    }
    this.sending = false;
  }
}

/** Messages that name the sender and all topics, each short enough to be sent. */
export function toPayloads(sender: string, topics: readonly string[]): string[] {
  const payloads: string[] = [];
  let names: string[] = [];
  let bytes = 0;
  const frame = JSON.stringify([sender]).length + 1;
  const finish = () => {
    if (names.length > 0) payloads.push(JSON.stringify([sender, ...names]));
    names = [];
    bytes = frame;
  };
  finish();
  for (const topic of topics) {
    const length = Buffer.byteLength(JSON.stringify(topic)) + 1;
    if (bytes + length > PAYLOAD_BYTES) finish();
    names.push(topic);
    bytes += length;
  }
  finish();
  return payloads;
}

function parseTopics(payload: string): string[] {
  try {
    const parsed: unknown = JSON.parse(payload);
    return Array.isArray(parsed) ? parsed.filter((item) => typeof item === 'string') : [];
  } catch {
    return [];
  }
}

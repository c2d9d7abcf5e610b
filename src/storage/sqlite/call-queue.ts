import { LANES, OPERATIONS, type Lane, type LaneName, type OperationName } from './call-lanes.js';

/** A call from when it was made until it is settled. */
export interface PendingCall {
  /** The order in which calls were made. */
  readonly id: number;
  readonly operation: OperationName;
  readonly lane: QueueLane;
  /** Absent while it is being made. */
  input?: { readonly value: unknown; readonly bytes: number };
  /** True once a worker has died with it. */
  isRetry: boolean;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
  readonly settled: Promise<unknown>;
}

/** The calls of one lane: those that wait, and how much the worker has of it. */
interface QueueLane {
  readonly limits: Lane;
  waiting: PendingCall[];
  callsAtWork: number;
  bytesAtWork: number;
}

/** The calls of one database that are not settled: those that wait for their turn, and those that the worker has. */
export class CallQueue {
  private readonly lanes = new Map<LaneName, QueueLane>();
  private readonly sent = new Map<number, PendingCall>();
  private ids = 0;
  /** Calls whose input is still being made. */
  private unready = 0;

  constructor() {
    for (const [name, limits] of Object.entries(LANES) as [LaneName, Lane][])
      this.lanes.set(name, { limits, waiting: [], callsAtWork: 0, bytesAtWork: 0 });
  }

  get isAtWork(): boolean {
    return this.sent.size > 0;
  }

  /** True if a call waits to be sent, or for its input. */
  get hasWaiting(): boolean {
    for (const { waiting } of this.lanes.values()) if (waiting.length > 0) return true;
    return false;
  }

  /** Everything that is not settled. */
  get all(): PendingCall[] {
    return [...this.sent.values(), ...Array.from(this.lanes.values(), ({ waiting }) => waiting).flat()];
  }

  add(operation: OperationName): PendingCall {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const lane = this.lanes.get(OPERATIONS[operation].lane) as QueueLane;
    const id = (this.ids += 1);
    const call: PendingCall = { id, operation, lane, isRetry: false, resolve, reject, settled: promise };
    this.unready += 1;
    lane.waiting.push(call);
    return call;
  }

  /** Notes the input of a call: it may be sent when its turn comes. */
  makeReady(call: PendingCall, value: unknown): void {
    // Only a lane with a limit has to know; an append would be walked in vain.
    call.input = { value, bytes: call.lane.limits.maxBytes === Infinity ? 0 : countBytes(value) };
    this.unready -= 1;
  }

  /** Forgets a call that cannot be made. */
  withdraw(call: PendingCall): void {
    const { waiting } = call.lane;
    this.unready -= 1;
    const index = waiting.indexOf(call);
    if (index !== -1) waiting.splice(index, 1);
  }

  /**
   * Returns the calls that the worker may have now, in order: all that runs need, and as many reads as their lanes have room for.
   * What was called after something that is still being made waits for it.
   */
  take(): PendingCall[] {
    const barrier = this.findBarrier();
    let taken: PendingCall[] = [];
    for (const lane of this.lanes.values()) {
      if (lane.waiting.length === 0) continue;
      const calls = takeFrom(lane, barrier);
      // Each lane is in order; only what comes from several has to be put in order.
      if (taken.length === 0) taken = calls;
      else if (calls.length > 0) taken = [...taken, ...calls].sort((one, other) => one.id - other.id);
    }
    for (const call of taken) this.sent.set(call.id, call);
    return taken;
  }

  /** The call that the worker has answered. */
  acknowledge(id: number): PendingCall | undefined {
    const call = this.sent.get(id);
    if (call) this.giveBack(call);
    return call;
  }

  /** Takes back what the worker had: the first calls of those that wait are those that may be repeated; the others come back. */
  recall(): PendingCall[] {
    const calls = [...this.sent.values()];
    const repeated = calls.filter(({ operation, isRetry }) => !isRetry && OPERATIONS[operation].repeats);
    for (const call of calls) this.giveBack(call);
    for (const call of repeated.toReversed()) {
      call.isRetry = true;
      call.lane.waiting.unshift(call);
    }
    return calls.filter((call) => !repeated.includes(call));
  }

  /** Gives up everything that is not settled. */
  drop(): PendingCall[] {
    const { all } = this;
    for (const call of this.sent.values()) this.giveBack(call);
    for (const lane of this.lanes.values()) lane.waiting = [];
    return all;
  }

  /** The id of the first call that runs need and that is still being made: what was called after it waits. */
  private findBarrier(): number {
    if (this.unready === 0) return Infinity;
    return this.lanes.get('work')?.waiting.find(({ input }) => !input)?.id ?? Infinity;
  }

  private giveBack(call: PendingCall): void {
    this.sent.delete(call.id);
    note(call, -1);
  }
}

function takeFrom(lane: QueueLane, barrier: number): PendingCall[] {
  const { waiting } = lane;
  let count = 0;
  for (const call of waiting) {
    if (call.id >= barrier || !call.input || !hasRoom(lane, call.input.bytes)) break;
    note(call, 1);
    count += 1;
  }
  if (count < waiting.length) return waiting.splice(0, count);
  lane.waiting = [];
  return waiting;
}

function hasRoom({ limits, callsAtWork, bytesAtWork }: QueueLane, bytes: number): boolean {
  return callsAtWork === 0 || (callsAtWork < limits.maxCalls && bytesAtWork + bytes <= limits.maxBytes);
}

function note({ lane, input }: PendingCall, sign: 1 | -1): void {
  lane.callsAtWork += sign;
  lane.bytesAtWork += sign * (input?.bytes ?? 0);
}

/** Roughly what a call's input takes on its way to the worker. */
function countBytes(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 8;
  if (ArrayBuffer.isView(value)) return value.byteLength;
  let bytes = 0;
  for (const part of Object.values(value)) bytes += countBytes(part);
  return bytes;
}

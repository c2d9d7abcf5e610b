import { BaseMessage } from '@langchain/core/messages';
import { isDeltaChannel, type BaseChannel } from '@langchain/langgraph/channels';
import { diffJson, type PatchOperation } from '../../events/json-patch.js';
import { toReadableJson } from '../../events/plain-data.js';
import type { StateChange } from '../../events/run-event.js';
import type { RunState } from '../../events/run-state.js';
import { findExposedKeys, type ExposedKeys } from './exposed-keys.js';
import type { CompiledGraph } from './graph-source.js';
import type { LangGraphAgentOptions } from './langgraph-agent.options.js';

/** Bytes of a state that is shown, as JSON. */
export const DEFAULT_STATE_MAX_BYTES = 256 * 1024;

/** Changes of one run may have this many times the bytes of a state; what comes after them is told once, when the graph is done. */
const CHANGES_PER_STATE = 16;

/** A key's value, written down. */
interface Written {
  readonly json: string;
  readonly bytes: number;
}

/** The part of a graph's state that people see beside its messages, as one owner of a run has told it. */
export class ExposedState {
  private readonly maxBytes: number;
  private written = new Map<string, Written>();
  private told: { readonly state: RunState; readonly omitted: readonly string[] } | undefined;
  private toldBytes = 0;
  private writers = new Map<string, Set<string>>();
  private late: Readonly<Record<string, unknown>> | undefined;
  private streamed: readonly string[] | undefined;

  /** The state as it was heard last, with keys that it does not show. */
  private known: Readonly<Record<string, unknown>> = {};

  /** @param graph the graph whose state it is; absent: one whose state is known only when it returns */
  constructor(
    readonly keys: ExposedKeys,
    { stateMaxBytes = DEFAULT_STATE_MAX_BYTES }: Pick<LangGraphAgentOptions, 'stateMaxBytes'>,
    private readonly graph?: CompiledGraph,
  ) {
    this.maxBytes = stateMaxBytes;
  }

  /** Undefined for an agent that shows nothing but messages: it costs nothing then. */
  static of(graph: CompiledGraph, options: LangGraphAgentOptions): ExposedState | undefined {
    const keys = findExposedKeys(graph, options.exposeState);
    return keys && new ExposedState(keys, options, keys.names && graph);
  }

  /** True if checkpoints have the state, or a part of it. */
  get isInCheckpoints(): boolean {
    return this.graph !== undefined;
  }

  /** True if a part of the state, or all of it, is in the graph's stream only: that of a functional graph, and keys that no checkpoint has. */
  get isInStream(): boolean {
    return !this.graph || this.listStreamed().length > 0;
  }

  /** Hears of a checkpoint. Returns the change of the state since the one before. */
  hearCheckpoint(
    values: Readonly<Record<string, unknown>>,
    changed: Readonly<Record<string, unknown>>,
  ): StateChange | undefined {
    if (!this.graph || !Object.keys(changed).some((key) => this.keys.has(key))) return undefined;
    return this.hear([], 'values', { ...pick(this.known, this.listStreamed()), ...this.read(values) });
  }

  /** Hears the graph's stream, behind what checkpoints say. */
  hearStream(namespace: readonly string[], mode: string, payload: unknown): StateChange | undefined {
    if (!this.graph) return this.hear(namespace, mode, payload);
    if (mode !== 'values' || namespace.length > 0 || !isRecord(payload)) return undefined;
    const streamed = this.listStreamed();
    if (streamed.every((key) => payload[key] === this.known[key])) return undefined;
    return this.hear([], 'values', { ...this.known, ...pick(payload, streamed) });
  }

  private read(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
    const streamed = this.listStreamed();
    return Object.fromEntries(
      (this.keys.names ?? []).flatMap((key) => {
        const channel = this.findChannel(key);
        const isThere = channel && !streamed.includes(key) && Object.hasOwn(values, key);
        const value = isThere ? readChannel(channel, values[key]) : undefined;
        return value === undefined ? [] : [[key, value]];
      }),
    );
  }

  /** Lists the keys that no checkpoint has as they are. */
  private listStreamed(): readonly string[] {
    this.streamed ??= (this.keys.names ?? []).filter((key) => {
      const channel = this.findChannel(key);
      return channel && (channel.lc_graph_name === 'UntrackedValue' || isDeltaChannel(channel));
    });
    return this.streamed;
  }

  private findChannel(key: string): BaseChannel | undefined {
    return (this.graph?.channels as Record<string, BaseChannel> | undefined)?.[key];
  }

  /** Hears the graph's stream. Returns what has changed when that says so: at the end of a superstep, and at first whatever is there. */
  hear(namespace: readonly string[], mode: string, payload: unknown): StateChange | undefined {
    // Of a subgraph: what it hands over comes in the state around it.
    if (namespace.length > 0 || !isRecord(payload)) return undefined;
    if (mode === 'tasks' && isRecord(payload['result']))
      this.note(String(payload['id']), Object.keys(payload['result']));
    if (mode !== 'values' || '__interrupt__' in payload) return undefined;
    this.known = payload;
    this.late = payload;
    return this.toldBytes > CHANGES_PER_STATE * this.maxBytes ? undefined : this.rest();
  }

  /** Returns the change that was kept back, once nothing comes after it. */
  rest(): StateChange | undefined {
    const values = this.late;
    this.late = undefined;
    return values && this.tell(values);
  }

  /** Notes that a step has written these keys. */
  note(stepId: string, keys: readonly string[]): void {
    for (const key of keys)
      if (this.keys.has(key)) this.writers.set(key, (this.writers.get(key) ?? new Set()).add(stepId));
  }

  private tell(values: Readonly<Record<string, unknown>>): StateChange | undefined {
    const { state, omitted } = this.write(values);
    const before = this.told;
    // A state that is empty from the first is none.
    if (!before && Object.keys(state).length === 0 && omitted.length === 0) return undefined;
    this.told = { state, omitted };
    const patch = before ? shorter(diffJson(before.state, state), state) : [whole(state)];
    const writers = this.takeWriters();
    if (patch.length === 0 && String(before?.omitted) === String(omitted)) return undefined;
    this.toldBytes += JSON.stringify(patch).length;
    return {
      type: 'state',
      patch,
      ...(writers && { writers }),
      ...(omitted.length > 0 && { omitted }),
    };
  }

  /** Writes the values down as JSON, key by key: what reads the same as before is the same. The largest make room for the others. */
  private write(values: Readonly<Record<string, unknown>>) {
    const written = new Map<string, Written>();
    for (const [key, value] of Object.entries(values)) {
      const json = this.keys.has(key) ? toReadableJson(withPlainMessages(value)) : undefined;
      if (json === undefined) continue;
      const before = this.written.get(key);
      written.set(key, before?.json === json ? before : { json, bytes: Buffer.byteLength(json) });
    }
    const omitted = findTooLarge(written, this.maxBytes);
    const told = this.told?.state ?? {};
    const state: Record<string, unknown> = {};
    for (const [key, each] of written) {
      if (omitted.includes(key)) continue;
      const isSame = each === this.written.get(key) && Object.hasOwn(told, key);
      state[key] = isSame ? told[key] : JSON.parse(each.json);
    }
    this.written = written;
    return { state, omitted };
  }

  private takeWriters(): StateChange['writers'] {
    const { writers } = this;
    if (writers.size === 0) return undefined;
    this.writers = new Map();
    return Object.fromEntries(Array.from(writers, ([key, ids]) => [key, [...ids]]));
  }
}

/** A channel may write down more than its value. Some have none at times. */
function readChannel(channel: BaseChannel, stored: unknown): unknown {
  try {
    return channel.fromCheckpoint(stored).get();
  } catch {
    return undefined;
  }
}

function findTooLarge(written: ReadonlyMap<string, Written>, maxBytes: number): string[] {
  let total = 0;
  for (const { bytes } of written.values()) total += bytes;
  const omitted: string[] = [];
  for (const [key, { bytes }] of [...written].toSorted(([, one], [, other]) => other.bytes - one.bytes)) {
    if (total <= maxBytes) break;
    total -= bytes;
    omitted.push(key);
  }
  return omitted.toSorted();
}

function shorter(patch: PatchOperation[], state: RunState): PatchOperation[] {
  return JSON.stringify(patch).length > JSON.stringify(state).length + 64 ? [whole(state)] : patch;
}

function whole(state: RunState): PatchOperation {
  return { op: 'replace', path: '', value: state };
}

/** Messages, alone or in a list, as plain objects: LangChain's own JSON of them names its classes. */
function withPlainMessages(value: unknown): unknown {
  if (Array.isArray(value)) return value.some(isMessage) ? value.map(toPlainMessage) : value;
  return toPlainMessage(value);
}

function toPlainMessage(value: unknown): unknown {
  if (!isMessage(value)) return value;
  const { type, data } = value.toDict();
  return { ...data, type };
}

function isMessage(value: unknown): value is BaseMessage {
  return BaseMessage.isInstance(value);
}

function pick(values: Readonly<Record<string, unknown>>, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(keys.flatMap((key) => (Object.hasOwn(values, key) ? [[key, values[key]]] : [])));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

import { createHash } from 'node:crypto';
import { Command, START, type StateSnapshot } from '@langchain/langgraph';
import type { CheckpointTuple } from '@langchain/langgraph-checkpoint';
import { AppError } from '../../errors.js';
import { NOBODY_IN_TIME, type AddedMessage, type AnsweredInput } from '../../events/requested-input.js';
import type { AgentContext } from '../agent.js';
import type { ThreadMessages } from './thread-state.js';
import { isOurInterrupt } from './tool.middleware.js';

/** An interrupt of a task, as LangGraph reports it. */
export interface TaskInterrupt {
  readonly id?: string;
  readonly value?: unknown;
  readonly response_schema?: Readonly<Record<string, unknown>>;
}

type Decisions = AgentContext['decisions'];

/** Asks the outside for the answers to a graph's `interrupt()` and to its breakpoints. */
export class GraphInterrupts {
  private readonly asked = new Set<string>();
  /** True once a tool call of ours waits for its approval, which is asked for elsewhere. */
  private isToolWaiting = false;

  constructor(
    private readonly run: Pick<AgentContext, 'emit' | 'decisions'>,
    private readonly expiresAt: () => number,
  ) {}

  /** True once this owner of the run has asked for something, here or for a tool call. */
  get hasAsked(): boolean {
    return this.isToolWaiting || this.asked.size > 0;
  }

  /** The graphs around a task tell of its interrupts as well: the innermost does first, and is who asks. */
  ask(interrupts: readonly TaskInterrupt[], stepId: string): void {
    for (const { id, value, response_schema: schema } of interrupts) {
      if (isOurInterrupt(value)) this.isToolWaiting = true;
      else this.request(id ?? toName(stepId), stepId, value, schema);
    }
  }

  /** Asks whether to go on, unless that is what was answered. Returns true if it does. */
  askAt(breakpoint: Breakpoint): boolean {
    const { id, next, stepId } = breakpoint;
    if (this.run.decisions.has(id)) return false;
    const message = `The agent has stopped before ${next.map((name) => `'${name}'`).join(', ')}. Any answer lets it go on.`;
    this.request(id, stepId, { type: 'breakpoint', message, next });
    return true;
  }

  private request(
    inputId: string,
    stepId: string,
    value: unknown,
    schema?: TaskInterrupt['response_schema'],
  ): void {
    if (this.asked.has(inputId)) return;
    this.asked.add(inputId);
    const expiresAt = this.expiresAt();
    void this.run.emit({
      type: 'input-request',
      inputId,
      kind: 'interrupt',
      stepId,
      value,
      ...(schema && { schema }),
      expiresAt,
    });
  }
}

/**
 * Returns the command that resumes a graph with the decisions: the value of each interrupt by its id, and the messages that came with them, on top of
 * its checkpoint. Approvals find theirs by themselves.
 *
 * @throws AppError INPUT_EXPIRED when a graph waits for a value that did not come: there is none that it could be told
 */
export function resumeWith(
  decisions: Decisions,
  thread: Pick<ThreadMessages, 'runId' | 'seen'>,
  runId: string,
): Command | null {
  const values: Record<string, unknown> = {};
  for (const [inputId, asked] of decisions) {
    const { kind, answer } = asked;
    if (kind !== 'interrupt') continue;
    if (answer.decision === 'answer') {
      if (LANGGRAPH_ID.test(inputId)) values[inputId] = answer.value;
    } else if (answer.by === NOBODY_IN_TIME) {
      throw new AppError('INPUT_EXPIRED', 'The agent asked for input and got no answer in time.');
    }
  }
  const messages = listAdded(decisions, thread, runId).map(({ original }) => original);
  const hasValues = Object.keys(values).length > 0;
  if (!hasValues && messages.length === 0) return null;
  return new Command({
    ...(hasValues && { resume: values }),
    ...(messages.length > 0 && { update: { messages } }),
  });
}

/** Lists the messages that came with the answers, and that the state does not have yet: what an earlier owner has stored of the run has them. */
function listAdded(
  decisions: Decisions,
  thread: Pick<ThreadMessages, 'runId' | 'seen'>,
  runId: string,
): AddedMessage[] {
  if (thread.runId === runId) return [];
  const known = new Set(thread.seen.map(({ id }) => id));
  const added = [...decisions.values()].flatMap(({ answer }) => answer.added ?? []);
  return added.filter(({ id }) => !known.has(id));
}

/** LangGraph's hash of a task's position and of the number of its interrupts. */
const LANGGRAPH_ID = /^[0-9a-f]{32}$/;

/**
 * The checkpoint without an answer that its task has taken already, and then asked for more, before the process died: LangGraph, which is
 * given the same answers again, would take it for the answer to the later question.
 */
export function withoutTakenAnswers(tuple: CheckpointTuple, decisions: Decisions): CheckpointTuple {
  const waiting = Map.groupBy(
    (tuple.pendingWrites ?? []).filter(([, channel]) => channel === '__interrupt__'),
    ([taskId]) => taskId,
  );
  const taken = new Set(
    [...waiting].flatMap(([taskId, writes]) => {
      // Older versions write each interrupt by itself.
      const interrupts = writes.flatMap(([, , value]) => value as TaskInterrupt | readonly TaskInterrupt[]);
      return hasTaken(taskId, interrupts, decisions) ? [taskId] : [];
    }),
  );
  if (taken.size === 0) return tuple;
  const pendingWrites = (tuple.pendingWrites ?? []).map((write): typeof write => {
    const [taskId, channel, value] = write;
    const isLatest = channel === '__resume__' && taken.has(taskId) && Array.isArray(value);
    return isLatest ? [taskId, channel, value.slice(0, -1)] : write;
  });
  return { ...tuple, pendingWrites };
}

function hasTaken(taskId: string, waiting: readonly TaskInterrupt[], decisions: Decisions): boolean {
  const ids = new Set(waiting.map(({ id }) => id));
  return [...decisions.values()].some(
    (asked: AnsweredInput) =>
      asked.kind === 'interrupt' && asked.stepId === taskId && !ids.has(asked.inputId),
  );
}

/** The nodes before or after which a graph stops. */
export interface Breakpoints {
  readonly interruptBefore?: readonly string[] | '*' | undefined;
  readonly interruptAfter?: readonly string[] | '*' | undefined;
}

/** Returns the breakpoints of a run: those of its start, or else those that the graph was compiled with. */
export function findBreakpoints(graph: object, given: Breakpoints = {}): Breakpoints {
  const compiled = graph as Breakpoints;
  return {
    interruptBefore: given.interruptBefore ?? compiled.interruptBefore,
    interruptAfter: given.interruptAfter ?? compiled.interruptAfter,
  };
}

/** Returns the options of LangGraph that name these breakpoints. */
export function toStops({ interruptBefore, interruptAfter }: Breakpoints) {
  const toNodes = (nodes: readonly string[] | '*') => (nodes === '*' ? nodes : [...nodes]);
  return {
    ...(interruptBefore && { interruptBefore: toNodes(interruptBefore) }),
    ...(interruptAfter && { interruptAfter: toNodes(interruptAfter) }),
  };
}

/** True if the graph has any breakpoint. */
export function hasBreakpoints({ interruptBefore, interruptAfter }: Breakpoints): boolean {
  return [interruptBefore, interruptAfter].some((nodes) => nodes !== undefined && nodes.length > 0);
}

/** True where the graph stops before what is next, or behind what was last. */
export function isBreakpoint(
  { interruptBefore = [], interruptAfter = [] }: Breakpoints,
  { next, last }: Breakpoint,
): boolean {
  return isAmong(next, interruptBefore) || isAmong(last, interruptAfter);
}

function isAmong(names: readonly string[], nodes: readonly string[] | '*'): boolean {
  return nodes === '*' ? names.length > 0 : names.some((name) => nodes.includes(name));
}

/** A place where a graph stops. */
export interface Breakpoint {
  readonly id: string;
  /** The nodes that are next. */
  readonly next: readonly string[];
  /** The nodes that were last. */
  readonly last: readonly string[];
  readonly stepId: string;
}

/** Returns the breakpoint at which a graph has stopped before its end: where it is a subgraph that has stopped, the place in that. */
export function breakpointAt(
  state: StateSnapshot,
  checkpoint: Pick<CheckpointTuple, 'checkpoint' | 'metadata'> | undefined,
): Breakpoint | undefined {
  const { next, tasks, config } = state;
  if (next.length === 0) return undefined;
  const waiting = tasks.find(({ name }) => next.includes(name));
  const stepId = waiting?.id ?? '';
  return {
    id: toName(`${findInnermost(state, config)} ${stepId}`),
    next: [...new Set(next)],
    last: checkpoint ? listLast(checkpoint) : [],
    stepId,
  };
}

/** The checkpoints of the graph and of what has stopped in it: the same subgraph may stop at several places. */
function findInnermost({ tasks }: StateSnapshot, { configurable }: StateSnapshot['config']): string {
  const inner = tasks.flatMap(({ state }) =>
    state && 'values' in state && state.next.length > 0 ? [findInnermost(state, state.config)] : [],
  );
  return [String(configurable?.['checkpoint_id']), ...inner].join(' ');
}

/**
 * Returns the nodes that ran last before the checkpoint was made: those that have seen the newest versions. Not those of `Send`, which see
 * none; and none behind the input.
 */
function listLast({ checkpoint, metadata }: Pick<CheckpointTuple, 'checkpoint' | 'metadata'>): string[] {
  if (metadata?.source === 'input') return [];
  const seen = Object.entries(checkpoint.versions_seen)
    .filter(([name]) => name !== '__interrupt__')
    .map(([name, versions]) => [name, Math.max(0, ...Object.values(versions).map(Number))] as const);
  const newest = Math.max(0, ...seen.map(([, version]) => version));
  return seen.flatMap(([name, version]) => (version === newest && name !== START ? [name] : []));
}

function toName(place: string): string {
  return createHash('sha256').update(place).digest('base64url').slice(0, 22);
}

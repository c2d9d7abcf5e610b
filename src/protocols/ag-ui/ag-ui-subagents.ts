import type { AgUiEvent } from './ag-ui-events.js';
import { toSubagentId, type Subagent } from '../../events/subagent.js';

interface WorkingSubagent {
  readonly subagent: Subagent;
  /** The id that the client has for it. */
  readonly runId: string;
}

/** A question of the run, with the agent that asks it where that is not the run's own. */
export interface SubagentInterrupt {
  readonly id: string;
  readonly subagent?: Subagent;
}

/** Says when the agents inside a run's own begin and end. An id counts once in a run: one that is at work again has another. */
export class AgUiSubagents {
  /** By our id. */
  private readonly open = new Map<string, WorkingSubagent>();
  private readonly runIds = new Map<string, string>();
  private readonly starts = new Map<string, number>();

  /** Starts the agent, unless it is at work. */
  enter(subagent: Subagent | undefined): AgUiEvent[] {
    if (!subagent) return [];
    const id = toSubagentId(subagent);
    if (this.open.has(id)) return [];
    const count = (this.starts.get(id) ?? 0) + 1;
    const runId = count === 1 ? id : `${id}#${count}`;
    this.starts.set(id, count);
    this.runIds.set(id, runId);
    const event = this.start(subagent, runId);
    this.open.set(id, { subagent, runId });
    return [event];
  }

  /** Returns the field that says whose an event or a message is. */
  attribute(subagent: Subagent | undefined): { readonly subagentRunId?: string } {
    const subagentRunId = subagent && this.runIds.get(toSubagentId(subagent));
    return subagentRunId === undefined ? {} : { subagentRunId };
  }

  /** Ends the agents that work inside a step, the inner ones first. @param interrupts what the run asks */
  leave(stepId: string, interrupts: readonly SubagentInterrupt[]): AgUiEvent[] {
    return this.finish(
      this.take(({ path }) => isInStep(path, stepId)),
      interrupts,
    );
  }

  /** Ends all that are at work. */
  end(interrupts: readonly SubagentInterrupt[]): AgUiEvent[] {
    return this.finish(
      this.take(() => true),
      interrupts,
    );
  }

  /** Ends them because the step is done over. */
  supersede(stepId: string): AgUiEvent[] {
    return this.take(({ path }) => isInStep(path, stepId)).map(({ runId: subagentRunId }) => ({
      type: 'SUBAGENT_ERROR',
      subagentRunId,
      code: 'SUPERSEDED',
      message: 'Its work is done over.',
    }));
  }

  /** The starts of all that are at work, for a client that joins here: the outer ones first, also one that began later. */
  list(): AgUiEvent[] {
    const outerFirst = [...this.open.values()].toSorted(
      (one, other) => one.subagent.path.length - other.subagent.path.length,
    );
    return outerFirst.map(({ subagent, runId }) => this.start(subagent, runId));
  }

  private finish(ended: readonly WorkingSubagent[], interrupts: readonly SubagentInterrupt[]): AgUiEvent[] {
    return ended.map(({ subagent, runId: subagentRunId }) => {
      const within = interrupts.filter((asked) => isWithin(asked.subagent, subagent));
      if (within.length === 0) return { type: 'SUBAGENT_FINISHED', subagentRunId };
      const own = within.filter((asked) => asked.subagent!.path.length === subagent.path.length);
      const interruptIds = own.map(({ id }) => id);
      return { type: 'SUBAGENT_FINISHED', subagentRunId, outcome: { type: 'suspended', interruptIds } };
    });
  }

  private take(ends: (subagent: Subagent) => boolean): WorkingSubagent[] {
    const taken = [...this.open].filter(([, { subagent }]) => ends(subagent));
    for (const [id] of taken) this.open.delete(id);
    return taken.map(([, each]) => each).toReversed();
  }

  private start(subagent: Subagent, subagentRunId: string): AgUiEvent {
    const parent = [...this.open.values()].findLast(
      (other) => other.subagent.path.length < subagent.path.length && isWithin(subagent, other.subagent),
    );
    const { name, toolCallId } = subagent;
    const isOfCall = toolCallId !== undefined && toolCallId !== parent?.subagent.toolCallId;
    return {
      type: 'SUBAGENT_STARTED',
      subagentRunId,
      name,
      ...(parent && { parentSubagentRunId: parent.runId }),
      ...(isOfCall && { parentToolCallId: toolCallId }),
    };
  }
}

function isInStep(path: readonly string[], stepId: string): boolean {
  return path.some((segment) => segment.endsWith(`:${stepId}`));
}

/** True for the agent itself, and for one that works inside it. */
function isWithin(inner: Subagent | undefined, { path }: Subagent): boolean {
  return path.every((segment, index) => inner?.path[index] === segment);
}

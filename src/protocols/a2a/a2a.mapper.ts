import type { RecordedEvent } from '../../events/recorded-event.js';
import type { ApprovalRequest, RunEnd } from '../../events/run-event.js';
import { messageIdOf } from '../transcript/transcript.js';
import type { A2aMessage, A2aPart, A2aStatus, A2aTask, A2aUpdate } from './a2a.events.js';
import { END_STATES } from './a2a.states.js';

/** What the mapping of a run depends on beside its log. */
export interface A2aRun {
  readonly taskId: string;
  readonly contextId: string;
  readonly question: { readonly messageId: string; readonly text: string };
  /** When the task was submitted, in milliseconds since the epoch. */
  readonly createdAt: number;
  /** What was answered already while others are missing, by approval id. Default: nothing. */
  readonly answered?: ReadonlySet<string>;
}

interface Artifact {
  /** A run that goes on after approvals makes the steps again in which the one before has stopped. */
  readonly runId: string;
  readonly stepId: string;
  readonly text: string;
}

/**
 * A run's log as updates of a task. What is said becomes artifacts, one for each time a model speaks; what tools do becomes the
 * metadata of status updates. Reasoning has no place in A2A.
 *
 * A run that goes on after approvals is the same task: its log is mapped behind that of the run that asked.
 */
export class A2aMapper {
  private readonly artifacts = new Map<string, Artifact>();
  private status: A2aStatus;
  /** What waits for a person, by approval id. A step that is made again asks again, for the same. */
  private readonly requests = new Map<string, ApprovalRequest>();

  constructor(private readonly run: A2aRun) {
    this.status = { state: 'TASK_STATE_SUBMITTED', timestamp: timestampOf(run.createdAt) };
  }

  /** The task after everything that was mapped so far. */
  get task(): A2aTask {
    const { taskId: id, contextId, question } = this.run;
    return {
      id,
      contextId,
      status: this.status,
      artifacts: [...this.artifacts].map(([artifactId, { text }]) => ({ artifactId, parts: [{ text }] })),
      history: [this.message('ROLE_USER', question.messageId, [{ text: question.text }])],
    };
  }

  map(recorded: RecordedEvent): A2aUpdate[] {
    const { runId, event, at } = recorded;
    switch (event.type) {
      case 'run-start':
        return [this.enter({ state: 'TASK_STATE_WORKING', timestamp: timestampOf(at) })];
      case 'text-start':
        this.artifacts.set(messageIdOf(runId, event.partId), { runId, stepId: event.stepId, text: '' });
        return [];
      case 'text-delta':
        return this.say(messageIdOf(runId, event.partId), event.delta);
      case 'text-end': {
        const artifactId = messageIdOf(runId, event.partId);
        return this.artifacts.has(artifactId) ? [this.artifactUpdate(artifactId, '', true, true)] : [];
      }
      case 'step-reset':
        return this.forget(runId, event.stepId);
      case 'approval-request':
        this.requests.set(event.approvalId, event);
        return [this.tell(at, event)];
      case 'approval-answer':
        this.requests.delete(event.approvalId);
        return [this.tell(at, event)];
      case 'tool-start':
      case 'tool-progress':
      case 'tool-end':
      case 'custom':
        return [this.tell(at, event)];
      case 'end':
        return [this.end(runId, event, at)];
      case 'run-resume':
      case 'step-start':
      case 'step-end':
      case 'reasoning-start':
      case 'reasoning-delta':
      case 'reasoning-end':
      case 'usage':
        return [];
      default:
        // A newer server may have written this log: what this one does not know, it does not tell.
        event satisfies never;
        return [];
    }
  }

  private say(artifactId: string, delta: string): A2aUpdate[] {
    const artifact = this.artifacts.get(artifactId);
    if (!artifact || delta === '') return [];
    this.artifacts.set(artifactId, { ...artifact, text: artifact.text + delta });
    return [this.artifactUpdate(artifactId, delta, artifact.text !== '', false)];
  }

  /** An artifact cannot be taken back; it can be replaced, by nothing. */
  private forget(runId: string, stepId: string): A2aUpdate[] {
    for (const request of this.requests.values())
      if (request.stepId === stepId) this.requests.delete(request.approvalId);
    const lost = [...this.artifacts].filter(
      ([, artifact]) => artifact.runId === runId && artifact.stepId === stepId,
    );
    return lost.map(([artifactId]) => {
      this.artifacts.delete(artifactId);
      return this.artifactUpdate(artifactId, '', false, true);
    });
  }

  private tell(at: number, { type, ...facts }: RecordedEvent['event']): A2aUpdate {
    return this.statusUpdate({ state: 'TASK_STATE_WORKING', timestamp: timestampOf(at) }, { [type]: facts });
  }

  private end(runId: string, { outcome, error }: RunEnd, at: number): A2aUpdate {
    const said: A2aPart[] = [];
    if (outcome === 'failed') said.push({ text: error?.message ?? 'The agent failed.' });
    if (outcome === 'awaiting-approval') said.push(...this.unanswered().flatMap(partsOf));
    const message = said.length > 0 && { message: this.message('ROLE_AGENT', `${runId}-end`, said) };
    return this.enter({ state: END_STATES[outcome], timestamp: timestampOf(at), ...message });
  }

  private unanswered(): ApprovalRequest[] {
    return [...this.requests.values()].filter(({ approvalId }) => !this.run.answered?.has(approvalId));
  }

  private enter(status: A2aStatus): A2aUpdate {
    this.status = status;
    return this.statusUpdate(status);
  }

  private statusUpdate(status: A2aStatus, metadata?: Readonly<Record<string, unknown>>): A2aUpdate {
    const { taskId, contextId } = this.run;
    return { statusUpdate: { taskId, contextId, status, ...(metadata && { metadata }) } };
  }

  private artifactUpdate(artifactId: string, text: string, append: boolean, lastChunk: boolean): A2aUpdate {
    const { taskId, contextId } = this.run;
    const artifact = { artifactId, parts: text === '' ? [] : [{ text }] };
    return { artifactUpdate: { taskId, contextId, artifact, append, lastChunk } };
  }

  private message(role: A2aMessage['role'], messageId: string, parts: readonly A2aPart[]): A2aMessage {
    const { taskId, contextId } = this.run;
    return { messageId, contextId, taskId, role, parts };
  }
}

/** For people, and for whoever is to answer with a data part that names the approval. */
function partsOf({ approvalId, toolName, label, input, expiresAt }: ApprovalRequest): A2aPart[] {
  const expires = expiresAt !== undefined && { expiresAt: timestampOf(expiresAt) };
  return [{ text: label }, { data: { approvalId, toolName, label, input, ...expires } }];
}

function timestampOf(at: number): string {
  return new Date(at).toISOString();
}

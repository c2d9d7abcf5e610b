import { splitText } from '../../events/message-order.js';
import { describeRequest, type RequestedInput } from '../../events/requested-input.js';
import type { RecordedEvent } from '../../events/recorded-event.js';
import type { FileFacts, PlacedFile } from '../../events/message-part.js';
import type { FilePut, InputRequest, RunEnd, TextStart } from '../../events/run-event.js';
import { isInsideCall, type Subagent } from '../../events/subagent.js';
import { toAddressElsewhere, type ToAddress } from '../../events/file-address.js';
import { toMessageId } from '../transcript/transcript-entries.js';
import type {
  A2aArtifact,
  A2aFilePart,
  A2aMessage,
  A2aPart,
  A2aStatus,
  A2aTask,
  A2aUpdate,
} from './a2a-events.js';
import { END_STATES } from './a2a-states.js';

/** The facts beside its log that the mapping of a run depends on. */
export interface A2aRun {
  readonly taskId: string;
  readonly contextId: string;
  readonly question: {
    readonly messageId: string;
    readonly text: string;
    /** Default: none. */
    readonly files?: readonly PlacedFile[];
  };
  /** Time when the task was submitted, in milliseconds since the epoch. */
  readonly createdAt: number;
  /** Ids of inputs that were answered while others are missing. Default: nothing. */
  readonly decidedIds?: ReadonlySet<string>;
  /** Finds the address of a file. Default: only files on other servers have one. */
  readonly toAddress?: ToAddress;
}

interface Artifact {
  /** A run that goes on after approvals makes the steps again in which the one before has stopped. */
  readonly runId: string;
  readonly stepId: string;
  readonly text: string;
  readonly file?: A2aFilePart;
  readonly subagent?: Subagent;
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
  /** The inputs that wait for a person, by id. A step that is made again asks again, for the same. */
  private readonly requests = new Map<string, InputRequest>();

  constructor(private readonly run: A2aRun) {
    this.status = { state: 'TASK_STATE_SUBMITTED', timestamp: toTimestamp(run.createdAt) };
  }

  /** The task after everything that was mapped so far. */
  get task(): A2aTask {
    const { taskId: id, contextId, question } = this.run;
    return {
      id,
      contextId,
      status: this.status,
      artifacts: [...this.artifacts].map(([artifactId, artifact]) => toArtifact(artifactId, artifact)),
      history: [this.message('ROLE_USER', question.messageId, this.toQuestionParts())],
    };
  }

  map(recorded: RecordedEvent): A2aUpdate[] {
    const { runId, event, at } = recorded;
    switch (event.type) {
      case 'run-start':
        return [this.enter({ state: 'TASK_STATE_WORKING', timestamp: toTimestamp(at) })];
      case 'text-start':
        this.open(runId, event);
        return [];
      case 'text-delta':
        return this.appendText(toMessageId(runId, event.partId), event.delta);
      case 'text-end': {
        const artifactId = toMessageId(runId, event.partId);
        return this.artifacts.has(artifactId) ? [this.artifactUpdate(artifactId, '', true, true)] : [];
      }
      case 'step-reset':
        return this.forget(runId, event.stepId);
      case 'input-request':
        this.requests.set(event.inputId, event);
        return [this.toDataMessage(at, event)];
      case 'input-answer':
        this.requests.delete(event.inputId);
        return [this.toDataMessage(at, event)];
      case 'file':
        return this.show(recorded, event);
      case 'source':
      case 'tool-start':
      case 'tool-progress':
      case 'tool-end':
      case 'state':
      case 'custom':
        return [this.toDataMessage(at, event)];
      case 'end':
        return [this.end(runId, event, at)];
      case 'run-resume':
      case 'step-start':
      case 'step-end':
      case 'reasoning-start':
      case 'reasoning-delta':
      case 'reasoning-end':
      case 'usage':
      case 'message-put':
      case 'checkpoint':
      case 'task':
        return [];
      default:
        // A newer server may have written this log: what this one does not know, it does not tell.
        event satisfies never;
        return [];
    }
  }

  /** Opens an artifact. Output of an agent that a tool calls gets none: it is part of the call, not of the answer. */
  private open(runId: string, event: TextStart): void {
    if (isInsideCall(event)) return;
    const { partId, stepId, subagent } = event;
    const artifact = { runId, stepId, text: '', ...(subagent && { subagent }) };
    this.artifacts.set(toMessageId(runId, partId), artifact);
  }

  /** Sends a file of the answer as an artifact. A file without an address, or from a tool, is sent like tool activity. */
  private show({ runId, at }: RecordedEvent, event: FilePut): A2aUpdate[] {
    const { partId, stepId, mediaType, name, toolCallId, subagent } = event;
    const url = (this.run.toAddress ?? toAddressElsewhere)(event);
    if (url === undefined || toolCallId !== undefined || isInsideCall(event))
      return [this.toDataMessage(at, event)];
    const file = toFilePart({ mediaType, name }, url);
    const artifactId = toMessageId(runId, partId);
    this.artifacts.set(artifactId, { runId, stepId, text: '', file, ...(subagent && { subagent }) });
    return [this.artifactUpdate(artifactId, '', false, true)];
  }

  private appendText(artifactId: string, delta: string): A2aUpdate[] {
    const artifact = this.artifacts.get(artifactId);
    if (!artifact || delta === '') return [];
    this.artifacts.set(artifactId, { ...artifact, text: artifact.text + delta });
    return [this.artifactUpdate(artifactId, delta, artifact.text !== '', false)];
  }

  /** An artifact cannot be taken back; it can be replaced, by nothing. */
  private forget(runId: string, stepId: string): A2aUpdate[] {
    for (const request of this.requests.values())
      if (request.stepId === stepId) this.requests.delete(request.inputId);
    const lost = [...this.artifacts].filter(
      ([, artifact]) => artifact.runId === runId && artifact.stepId === stepId,
    );
    return lost.map(([artifactId]) => {
      this.artifacts.delete(artifactId);
      return this.artifactUpdate(artifactId, '', false, true);
    });
  }

  private toDataMessage(at: number, { type, ...facts }: RecordedEvent['event']): A2aUpdate {
    return this.statusUpdate({ state: 'TASK_STATE_WORKING', timestamp: toTimestamp(at) }, { [type]: facts });
  }

  private end(runId: string, { outcome, error, finishReason }: RunEnd, at: number): A2aUpdate {
    const parts: A2aPart[] = [];
    if (outcome === 'failed') parts.push({ text: error?.message ?? 'The agent failed.' });
    if (outcome === 'awaiting-input') parts.push(...this.unanswered().flatMap(toParts));
    const message = parts.length > 0 && { message: this.message('ROLE_AGENT', `${runId}-end`, parts) };
    const status = { state: END_STATES[outcome], timestamp: toTimestamp(at), ...message };
    return this.enter(status, finishReason && { finishReason });
  }

  private unanswered(): InputRequest[] {
    return [...this.requests.values()].filter(({ inputId }) => !this.run.decidedIds?.has(inputId));
  }

  private enter(status: A2aStatus, metadata?: Readonly<Record<string, unknown>>): A2aUpdate {
    this.status = status;
    return this.statusUpdate(status, metadata);
  }

  private statusUpdate(status: A2aStatus, metadata?: Readonly<Record<string, unknown>>): A2aUpdate {
    const { taskId, contextId } = this.run;
    return { statusUpdate: { taskId, contextId, status, ...(metadata && { metadata }) } };
  }

  private artifactUpdate(artifactId: string, text: string, append: boolean, lastChunk: boolean): A2aUpdate {
    const { taskId, contextId } = this.run;
    const { subagent, file } = this.artifacts.get(artifactId) ?? {};
    const parts = file ? [file] : text === '' ? [] : [{ text }];
    const artifact = { artifactId, parts, ...(subagent && { metadata: { subagent } }) };
    return { artifactUpdate: { taskId, contextId, artifact, append, lastChunk } };
  }

  private toQuestionParts(): A2aPart[] {
    const { question, toAddress = toAddressElsewhere } = this.run;
    const { text, files = [] } = question;
    const parts = splitText(text, files).flatMap((piece): A2aPart[] => {
      if ('text' in piece) return [piece];
      const url = toAddress(piece.file);
      return url === undefined ? [] : [toFilePart(piece.file, url)];
    });
    return parts.length > 0 ? parts : [{ text }];
  }

  private message(role: A2aMessage['role'], messageId: string, parts: readonly A2aPart[]): A2aMessage {
    const { taskId, contextId } = this.run;
    return { messageId, contextId, taskId, role, parts };
  }
}

function toFilePart(
  { mediaType, name }: Pick<FileFacts, 'mediaType'> & { readonly name?: string | undefined },
  url: string,
): A2aFilePart {
  return { url, mediaType, ...(name !== undefined && { filename: name }) };
}

function toArtifact(artifactId: string, { text, file, subagent }: Artifact): A2aArtifact {
  return { artifactId, parts: [file ?? { text }], ...(subagent && { metadata: { subagent } }) };
}

/** For people, and for clients that answer with a data part that names the input. */
function toParts(request: InputRequest): A2aPart[] {
  const { inputId, kind, expiresAt } = request;
  const expires = expiresAt !== undefined && { expiresAt: toTimestamp(expiresAt) };
  return [{ text: describeRequest(request) }, { data: { inputId, kind, ...toFacts(request), ...expires } }];
}

function toFacts(request: RequestedInput): Readonly<Record<string, unknown>> {
  switch (request.kind) {
    case 'approval': {
      const { toolName, label, input, reason } = request;
      return { toolName, label, input, ...(reason !== undefined && { reason }) };
    }
    case 'client-tool': {
      const { toolCallId, toolName, label, input } = request;
      return { toolCallId, toolName, label, input };
    }
    case 'interrupt':
      return { value: request.value, ...(request.schema && { schema: request.schema }) };
    case 'elicitation':
      return { message: request.message, schema: request.schema };
    default:
      // A newer instance may have recorded what this one does not know.
      request satisfies never;
      return {};
  }
}

function toTimestamp(at: number): string {
  return new Date(at).toISOString();
}

import type {
  A2aArtifact,
  A2aMessage,
  A2aPart,
  A2aState,
  A2aStatus,
  A2aTask,
  A2aUpdate,
} from './a2a-events.js';

/** The words of version 0.3 of the protocol, which says the same: https://a2a-protocol.org/v0.3.0/specification */

/** Its methods, by what they are called since 1.0. No name is in both versions, so that the name tells which is spoken. */
const METHODS: Readonly<Record<string, string>> = {
  'message/send': 'SendMessage',
  'message/stream': 'SendStreamingMessage',
  'tasks/get': 'GetTask',
  'tasks/cancel': 'CancelTask',
  'tasks/resubscribe': 'SubscribeToTask',
};

export type A2aVersion = '1.0' | '0.3';

/** Returns the name that a method has since 1.0, and the version that the caller's name belongs to. */
export function parseMethod(name: string): { readonly method: string; readonly version: A2aVersion } {
  const method = METHODS[name];
  return method === undefined ? { method: name, version: '1.0' } : { method, version: '0.3' };
}

const STATES: Record<A2aState, string> = {
  TASK_STATE_SUBMITTED: 'submitted',
  TASK_STATE_WORKING: 'working',
  TASK_STATE_COMPLETED: 'completed',
  TASK_STATE_FAILED: 'failed',
  TASK_STATE_CANCELED: 'canceled',
  TASK_STATE_INPUT_REQUIRED: 'input-required',
};

/** States behind which a stream has nothing to say. */
const FINAL: ReadonlySet<A2aState> = new Set([
  'TASK_STATE_COMPLETED',
  'TASK_STATE_FAILED',
  'TASK_STATE_CANCELED',
  'TASK_STATE_INPUT_REQUIRED',
]);

/** An update as 0.3 says it: by its `kind`, without a name around it. */
export function toV03(update: A2aUpdate): object {
  if ('task' in update) return toTaskV03(update.task);
  if ('artifactUpdate' in update) {
    const { artifact, ...rest } = update.artifactUpdate;
    return { kind: 'artifact-update', ...rest, artifact: toArtifactV03(artifact) };
  }
  const { status, ...rest } = update.statusUpdate;
  return { kind: 'status-update', ...rest, status: toStatusV03(status), final: FINAL.has(status.state) };
}

function toTaskV03({ status, artifacts, history, ...names }: A2aTask): object {
  return {
    kind: 'task',
    ...names,
    status: toStatusV03(status),
    artifacts: artifacts.map(toArtifactV03),
    history: history.map(toMessageV03),
  };
}

function toStatusV03({ state, timestamp, message }: A2aStatus): object {
  return { state: STATES[state], timestamp, ...(message && { message: toMessageV03(message) }) };
}

function toMessageV03({ role, parts, ...names }: A2aMessage): object {
  return {
    kind: 'message',
    ...names,
    role: role === 'ROLE_USER' ? 'user' : 'agent',
    parts: toPartsV03(parts),
  };
}

function toArtifactV03({ parts, ...artifact }: A2aArtifact): object {
  return { ...artifact, parts: toPartsV03(parts) };
}

function toPartsV03(parts: readonly A2aPart[]): object[] {
  return parts.map((part) => {
    if (!('url' in part)) return { kind: 'text' in part ? 'text' : 'data', ...part };
    const { url: uri, mediaType: mimeType, filename: name } = part;
    return { kind: 'file', file: { uri, mimeType, ...(name !== undefined && { name }) } };
  });
}

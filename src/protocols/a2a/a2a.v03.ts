import type {
  A2aArtifact,
  A2aMessage,
  A2aPart,
  A2aState,
  A2aStatus,
  A2aTask,
  A2aUpdate,
} from './a2a.events.js';

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

/** What a method is called since 1.0, and which version calls it as it was called. */
export function methodOf(name: string): { readonly method: string; readonly version: A2aVersion } {
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
  if ('task' in update) return taskOf(update.task);
  if ('artifactUpdate' in update) {
    const { artifact, ...rest } = update.artifactUpdate;
    return { kind: 'artifact-update', ...rest, artifact: artifactOf(artifact) };
  }
  const { status, ...rest } = update.statusUpdate;
  return { kind: 'status-update', ...rest, status: statusOf(status), final: FINAL.has(status.state) };
}

function taskOf({ status, artifacts, history, ...names }: A2aTask): object {
  return {
    kind: 'task',
    ...names,
    status: statusOf(status),
    artifacts: artifacts.map(artifactOf),
    history: history.map(messageOf),
  };
}

function statusOf({ state, timestamp, message }: A2aStatus): object {
  return { state: STATES[state], timestamp, ...(message && { message: messageOf(message) }) };
}

function messageOf({ role, parts, ...names }: A2aMessage): object {
  return { kind: 'message', ...names, role: role === 'ROLE_USER' ? 'user' : 'agent', parts: partsOf(parts) };
}

function artifactOf({ artifactId, parts }: A2aArtifact): object {
  return { artifactId, parts: partsOf(parts) };
}

function partsOf(parts: readonly A2aPart[]): object[] {
  return parts.map((part) => ({ kind: 'text' in part ? 'text' : 'data', ...part }));
}

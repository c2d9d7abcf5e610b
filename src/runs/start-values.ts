import { createHash } from 'node:crypto';
import type { GivenInput } from '../agents/agent.js';
import { moveFiles } from '../events/message-order.js';
import type { PlacedFile } from '../events/message-part.js';
import type { RunChanges } from './run.hooks.js';
import type { PlacedRequest } from './run-place.js';
import type { MessageFile, StartRunRequest } from './start-request.js';

/** Returns the values that a start gives to its graph; undefined if it gives only a message. */
export function toGiven(
  {
    input,
    dropsUnknownKeys,
    isWithoutMessage,
    context,
    configurable,
    recursionLimit,
    interruptBefore,
    interruptAfter,
    stateChange,
    fromCheckpoint,
    keepsStates,
    clientTools = [],
  }: Omit<StartRunRequest, 'principal' | 'message' | 'files'>,
  files?: readonly PlacedFile[],
): GivenInput | undefined {
  const given: GivenInput = {
    ...(input && { input }),
    ...(dropsUnknownKeys && { dropsUnknownKeys }),
    ...(isWithoutMessage && { isWithoutMessage }),
    ...(context && { context }),
    ...(configurable && { configurable }),
    ...(recursionLimit !== undefined && { recursionLimit }),
    ...(interruptBefore && { interruptBefore }),
    ...(interruptAfter && { interruptAfter }),
    ...(stateChange && { stateChange }),
    ...(fromCheckpoint !== undefined && { fromCheckpoint }),
    ...(keepsStates && { keepsStates }),
    ...(clientTools.length > 0 && { clientTools }),
    ...(files?.length && { files }),
  };
  return Object.keys(given).length > 0 ? given : undefined;
}

/** Changes a request as its host says. Files keep their places between the words, unless the graph is given the message as it came. */
export function changeRequest(request: PlacedRequest, changes: RunChanges | void): PlacedRequest {
  const changed = { ...request, ...changes };
  if (!changed.files || changed.input?.['messages'] !== undefined) return changed;
  return { ...changed, files: moveFiles(request.message, changed.message, changed.files) };
}

/** Tells whether two requests ask for the same: the same fields with the same values, in whatever order they were written. */
export function fingerprint(request: StartRunRequest): string {
  const { message, threadId, agent, metadata, parentRunId, replaces, delayMs } = request;
  const given = toGiven(request);
  const files = request.files?.map(toFingerprint);
  const asked = { message, files, threadId, agent, metadata, given, parentRunId, replaces, delayMs };
  return createHash('sha256')
    .update(JSON.stringify(sorted(asked)))
    .digest('base64url');
}

function toFingerprint(file: MessageFile): object {
  if (!('data' in file)) return file;
  const { data, ...facts } = file;
  return { ...facts, digest: createHash('sha256').update(data).digest('base64url') };
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, field]) => [name, sorted(field)]),
  );
}

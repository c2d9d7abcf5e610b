import { createHash } from 'node:crypto';
import type { GivenInput } from '../agents/agent.js';
import type { PlacedFile } from '../events/message-part.js';
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

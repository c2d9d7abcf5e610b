import { AppError } from '../errors.js';
import type { Principal } from '../principal.js';
import type { PlacedFile } from '../events/message-part.js';
import { readAncestors } from './ancestors.js';
import { belongsTo, type Run } from './run.js';
import type { RunStore } from './run.store.js';
import type { MessageFile, StartRunRequest } from './start-request.js';
import { COPY_LIMITS } from './thread-copy.js';

/** A start with its place, and with the facts taken from the run that it replaces. */
export type PlacedRequest = Omit<StartRunRequest, 'parentRunId' | 'replaces'> & {
  readonly parentId?: string | null;
};

/**
 * Finds the place of a new run in its thread.
 *
 * @throws AppError NOT_FOUND for a run that the thread does not have; REQUEST_INVALID for two places
 */
export async function placeRun(request: StartRunRequest, runs: RunStore): Promise<PlacedRequest> {
  const { parentRunId, replaces, ...start } = request;
  if (parentRunId === undefined && replaces === undefined) return start;
  if (parentRunId !== undefined && replaces !== undefined)
    throw new AppError('REQUEST_INVALID', 'Send `parentRunId` or `replaces`, not both.');
  if (parentRunId === null) return { ...start, parentId: null };
  const named = await findRun(request, parentRunId ?? replaces ?? '', runs);
  const place = { threadId: named.threadId, createThread: false };
  if (replaces === undefined) return { ...start, ...place, parentId: named.id };
  const asked = await findAsked(named, runs);
  return { ...takeOver(start, asked), ...place, parentId: await findParentId(asked, runs) };
}

async function findRun(
  { principal, threadId }: StartRunRequest,
  runId: string,
  runs: RunStore,
): Promise<Run> {
  const run = await runs.get(runId);
  if (run && belongsTo(run.principal, principal) && (threadId ?? run.threadId) === run.threadId) return run;
  const copy = threadId === undefined ? undefined : await findCopy({ principal, threadId }, runId, runs);
  if (copy) return copy;
  const where = threadId === undefined ? '' : ` in thread '${threadId}'`;
  throw new AppError('NOT_FOUND', `There is no run '${runId}'${where}.`);
}

/** Finds the run of a copied thread by the id of the run that it is a copy of. */
async function findCopy(
  { principal, threadId }: { readonly principal: Principal; readonly threadId: string },
  runId: string,
  runs: RunStore,
): Promise<Run | undefined> {
  const nodes = await runs.listNodes(principal, threadId, COPY_LIMITS.maxRuns);
  const copy = nodes.find(({ copyOf }) => copyOf === runId);
  return copy && runs.get(copy.id);
}

/** Returns the run that took the person's message: the first of those that continue one another after answers. */
export async function findAsked(run: Run, runs: RunStore): Promise<Run> {
  const before = run.resumeOf === undefined ? undefined : await runs.get(run.resumeOf);
  return before ? findAsked(before, runs) : run;
}

/** Returns the id of the run after which a run was asked; null if there is none. */
export async function findParentId(run: Run, runs: RunStore): Promise<string | null> {
  if (run.parentId !== undefined) return run.parentId;
  const { value: before } = await readAncestors(run, runs).next();
  return before ? before.id : null;
}

/** Repeats the message of the replaced run, with its other values, unless the start has a message, files or an input. A new text keeps the files, and the state that the run went on from. */
function takeOver(start: PlacedRequest, { agent, message, metadata, given = {} }: Run): PlacedRequest {
  const { files: asked, rollsBack: _, ...values } = given;
  const { fromCheckpoint } = given;
  const same = {
    ...(fromCheckpoint !== undefined && { fromCheckpoint }),
    ...start,
    agent: start.agent ?? agent,
  };
  const files = start.files ?? asked?.flatMap((file) => toMessageFile(file, start.message === ''));
  if (start.message !== '' || start.input || start.files) return { ...same, ...(files && { files }) };
  return {
    ...values,
    ...same,
    message,
    metadata: { ...metadata, ...start.metadata },
    ...(files && { files }),
  };
}

/** @param isSameText false if the text is another one, in which the place of the file means nothing */
function toMessageFile({ fileId, url, mediaType, name, at }: PlacedFile, isSameText: boolean): MessageFile[] {
  const place = { ...(isSameText && at && { at }) };
  if (fileId !== undefined) return [{ fileId, ...place }];
  return url === undefined ? [] : [{ url, mediaType, name, ...place }];
}

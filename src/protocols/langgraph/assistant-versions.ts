import { AppError } from '../../errors.js';
import type { StoredAssistant } from '../../agents/assistant.store.js';

type Values = Readonly<Record<string, unknown>>;

/** The facts of an assistant that a version holds. */
export interface AssistantFacts {
  /** The name of its agent. */
  readonly agent: string;
  readonly name: string;
  readonly description?: string;
  readonly config: Values;
  readonly context: Values;
  readonly metadata: Values;
}

export interface AssistantVersion extends AssistantFacts {
  readonly version: number;
  readonly createdAt: number;
}

/** An assistant that a user has made. */
export interface Assistant {
  readonly id: string;
  readonly revision: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** The version that counts. */
  readonly latest: number;
  /** The newest first. */
  readonly versions: readonly AssistantVersion[];
}

/** A change of facts: what is absent stays, and metadata take the place of values of the same names. */
export type AssistantChange = Partial<AssistantFacts>;

/** Maximum bytes of an assistant with its versions. */
export const ASSISTANT_BYTES = 64 * 1024;

export function createAssistant(id: string, facts: AssistantFacts, now: number): Assistant {
  const versions = [{ ...facts, version: 1, createdAt: now }];
  return { id, revision: 1, createdAt: now, updatedAt: now, latest: 1, versions };
}

/** Returns the assistant with one more version, which counts from then on. */
export function addVersion(assistant: Assistant, change: AssistantChange, now: number): Assistant {
  const before = currentVersion(assistant);
  const version = (assistant.versions[0]?.version ?? 0) + 1;
  const metadata = { ...before.metadata, ...change.metadata };
  const next = { ...before, ...change, metadata, version, createdAt: now };
  return follow(assistant, { latest: version, versions: [next, ...assistant.versions] }, now);
}

/** Returns the assistant with another version that counts; undefined if it has none of that number. */
export function chooseVersion(assistant: Assistant, version: number, now: number): Assistant | undefined {
  if (!assistant.versions.some((one) => one.version === version)) return undefined;
  return follow(assistant, { latest: version }, now);
}

export function currentVersion({ versions, latest }: Assistant): AssistantVersion {
  return versions.find(({ version }) => version === latest)!;
}

function follow(assistant: Assistant, change: Partial<Assistant>, now: number): Assistant {
  return { ...assistant, ...change, revision: assistant.revision + 1, updatedAt: now };
}

/**
 * Returns the assistant as it is stored. Its oldest versions are left out if they do not fit, but not the one that counts.
 *
 * @throws AppError RUN_LIMIT if a single version is too large
 */
export function toStored({ id, revision, ...document }: Assistant): StoredAssistant {
  const versions = [...document.versions];
  for (;;) {
    const text = JSON.stringify({ ...document, versions });
    if (Buffer.byteLength(text) <= ASSISTANT_BYTES) return { id, revision, document: text };
    const oldest = versions.findLastIndex(({ version }, index) => index > 0 && version !== document.latest);
    if (oldest < 0)
      throw new AppError(
        'RUN_LIMIT',
        `An assistant has at most ${ASSISTANT_BYTES} bytes of JSON. Shorten it.`,
      );
    versions.splice(oldest, 1);
  }
}

export function readStored({ id, revision, document }: StoredAssistant): Assistant {
  return { ...(JSON.parse(document) as Omit<Assistant, 'id' | 'revision'>), id, revision };
}

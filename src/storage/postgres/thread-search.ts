import type { Owner } from '../../principal.js';
import type { Page } from '../../runs/run.store.js';
import {
  findPlaces,
  MOST_FOUND_RUNS,
  type FoundTexts,
  type ThreadMatch,
  type ThreadSearch,
} from '../../runs/thread-search.js';
import { keysAfter, toPage } from '../page-cursor.js';
import type { ThreadRow } from '../run-rows.js';
import { toIndexedTerms } from '../search-rows.js';
import type { Statements } from './postgres.database.js';
import { parseThread } from './postgres-rows.js';
import { threadQuery } from './thread-records.js';

/** Sorts after every time and every ordinal. */
const LAST = Number.MAX_SAFE_INTEGER;

/** A found thread. The texts are JSON, and null if a title was found. */
interface FoundRow extends ThreadRow {
  readonly run_id: string | null;
  readonly message: string | null;
  readonly resume_of: string | null;
  readonly answer: string | null;
}

export async function searchThreads(
  statements: Statements,
  s: string,
  { owner: { tenant, userId }, search }: { readonly owner: Owner; readonly search: ThreadSearch },
): Promise<Page<ThreadMatch>> {
  const { terms, limit, archived, pinned, waiting = false } = search;
  const [updatedBefore = LAST, before = LAST] = keysAfter(search, 2) ?? [];
  const rows = await statements.query<FoundRow>(searchText(s), [
    tenant,
    userId,
    updatedBefore,
    before,
    limit + 1,
    archived ?? null,
    pinned ?? null,
    waiting,
    toIndexedTerms({ tenant, userId }, terms)
      .map(({ word, isPrefix }) => `'${word}'${isPrefix ? ':*' : ''}`)
      .join(' & '),
  ]);
  const page = toPage(rows, search, {
    getKeys: (row) => [row.updated_at, row.ordinal],
    toItem: (row) => ({ thread: parseThread(row), texts: toTexts(row) }),
  });
  return findPlaces(page, terms);
}

/** All that the terms find is looked up first: by the index, which has them per owner. */
function searchText(s: string): string {
  return `
    WITH worded AS MATERIALIZED (
      SELECT ordinal FROM ${s}.run_words WHERE words @@ $9::tsquery
    ), found AS (
      (SELECT runs.thread_id, runs.ordinal AS run FROM worded JOIN ${s}.runs ON runs.ordinal = worded.ordinal
       WHERE runs.tenant = $1 AND runs.user_id = $2 ORDER BY runs.ordinal DESC LIMIT ${MOST_FOUND_RUNS})
      UNION ALL
      (SELECT threads.id, 0 FROM worded JOIN ${s}.threads ON threads.ordinal = -worded.ordinal
       WHERE threads.tenant = $1 AND threads.user_id = $2 LIMIT ${MOST_FOUND_RUNS})
    ), newest AS (
      SELECT thread_id, max(run) AS run FROM found GROUP BY thread_id
    ), hits AS (
      ${threadQuery(s)} JOIN newest ON newest.thread_id = threads.id
      WHERE threads.tenant = $1 AND threads.user_id = $2
        AND (threads.updated_at, threads.ordinal) < ($3::bigint, $4::bigint)
        AND ($6::boolean IS NULL OR threads.archived = $6) AND ($7::boolean IS NULL OR threads.pinned = $7)
        AND (NOT $8::boolean OR latest.status = 'awaiting-input')
      ORDER BY threads.updated_at DESC, threads.ordinal DESC LIMIT $5
    )
    SELECT hits.*, runs.id AS run_id, runs.message, runs.resume_of, run_words.answer
    FROM hits JOIN newest ON newest.thread_id = hits.id
    LEFT JOIN ${s}.runs ON runs.ordinal = newest.run LEFT JOIN ${s}.run_words ON run_words.ordinal = runs.ordinal
    ORDER BY hits.updated_at DESC, hits.ordinal DESC`;
}

function toTexts({ title, run_id: runId, message, resume_of, answer }: FoundRow): FoundTexts {
  if (runId === null || message === null) return { title: JSON.parse(title) as string };
  return {
    runId,
    ...(resume_of === null && { question: JSON.parse(message) as string }),
    ...(answer !== null && { answer: JSON.parse(answer) as string }),
  };
}

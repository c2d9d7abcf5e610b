import type { DatabaseSync } from 'node:sqlite';
import type { SaidText } from '../../../runs/event-log.js';
import type { SearchTerm } from '../../../runs/search-words.js';
import { MOST_FOUND_RUNS, type FoundTexts } from '../../../runs/thread-search.ts';
import type { RunRow, ThreadRow } from '../../run-rows.js';
import { toIndexedTerms } from '../../search-rows.ts';
import { LATEST_FIRST, LISTED, THREAD, toFlag, type ListThreads } from './thread-operations.ts';
import { indexingOn } from './word-index.ts';

export interface SearchThreads extends ListThreads {
  readonly terms: readonly SearchTerm[];
}

export interface FoundThreadRow {
  readonly row: ThreadRow;
  /** In which the caller finds the place: the worker has to serve everybody. */
  readonly texts: FoundTexts;
}

/** Finds threads by what was said in them. Each function is one step; the caller gives it its transaction. */
export function searchOperations(db: DatabaseSync) {
  const index = indexingOn(db);
  // CROSS: from the words to their runs, and not the other way round.
  const found = db.prepare(`
    WITH found AS (
      SELECT * FROM (
        SELECT runs.thread_id AS thread, runs.ordinal AS run
        FROM run_words CROSS JOIN runs ON runs.ordinal = run_words.rowid
        WHERE run_words MATCH :query AND run_words.rowid > 0 AND runs.tenant = :tenant AND runs.user_id = :userId
        ORDER BY run_words.rowid DESC LIMIT ${MOST_FOUND_RUNS})
      UNION ALL SELECT * FROM (
        SELECT threads.id, 0 FROM run_words CROSS JOIN threads ON threads.ordinal = -run_words.rowid
        WHERE run_words MATCH :query AND run_words.rowid < 0 AND threads.tenant = :tenant AND threads.user_id = :userId
        LIMIT ${MOST_FOUND_RUNS})
    ), hits AS (
      SELECT threads.ordinal, newest.run FROM (SELECT thread, max(run) AS run FROM found GROUP BY thread) AS newest
      CROSS JOIN threads ON threads.id = newest.thread
      WHERE ${LISTED} AND (NOT :waiting OR 'awaiting-input' = (
        SELECT status FROM runs WHERE runs.thread_id = threads.id ORDER BY runs.ordinal DESC LIMIT 1))
      ${LATEST_FIRST} LIMIT :limit
    )
    SELECT ${THREAD}, hits.run FROM hits CROSS JOIN threads ON threads.ordinal = hits.ordinal ${LATEST_FIRST}`);
  const texts = db.prepare(`
    SELECT runs.id, runs.message, runs.resume_of, run_words.answer
    FROM runs JOIN run_words ON run_words.rowid = runs.ordinal WHERE runs.ordinal = ?`);
  const unindexed = db.prepare(`
    SELECT id FROM runs INDEXED BY runs_to_index WHERE indexed = 0 AND ended_at IS NOT NULL ORDER BY ended_at DESC LIMIT ?`);
  const note = db.prepare(
    'UPDATE runs SET indexed = 1 WHERE id = ? AND indexed = 0 AND ended_at IS NOT NULL RETURNING ordinal',
  );

  const readTexts = ({ run, title }: { run: number; title: string }): FoundTexts => {
    if (run === 0) return { title };
    const { id, message, resume_of, answer } = texts.get(run) as unknown as RunRow & SearchedColumns;
    return { runId: id, answer, ...(resume_of === null && { question: message }) };
  };

  return {
    searchThreads({ terms, archived, pinned, waiting, ...place }: SearchThreads): FoundThreadRow[] {
      const owned = toIndexedTerms(place, terms);
      const query = owned.map(({ word, isPrefix }) => `"${word}"${isPrefix ? ' *' : ''}`).join(' AND ');
      const flags = { archived: toFlag(archived), pinned: toFlag(pinned), waiting: Number(waiting ?? false) };
      const rows = found.all({ ...place, ...flags, query }) as unknown as (ThreadRow & { run: number })[];
      return rows.map((row) => ({ row, texts: readTexts(row) }));
    },

    listUnindexed(limit: number): string[] {
      return unindexed.all(limit).map(({ id }) => id as string);
    },

    /** Does nothing for a run that is found already, or has not ended. */
    indexRun({ runId, said }: { readonly runId: string; readonly said: SaidText }): void {
      const run = note.get(runId) as { readonly ordinal: number } | undefined;
      if (run) index(run.ordinal, said);
    },
  };
}

interface SearchedColumns {
  readonly answer: string;
}

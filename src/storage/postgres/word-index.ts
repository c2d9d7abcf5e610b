import type { Owner } from '../../principal.js';
import type { SaidText } from '../../runs/event-log.js';
import { toIndexedWords, toSearchRow } from '../search-rows.js';
import type { Statements } from './postgres.database.js';

/** The column `words` as it is stored, of words that are separated by spaces. */
export const INDEXED_WORDS = `array_to_tsvector(string_to_array(words, ' '))`;

/** Indexes a run that an earlier version has ended. */
export async function indexRun(
  tx: Statements,
  s: string,
  { runId, said }: { readonly runId: string; readonly said: SaidText },
): Promise<void> {
  // A deletion of the run waits until this is done, and finds the words.
  const [run] = await tx.query<{ ordinal: number }>(
    `UPDATE ${s}.runs SET indexed = true WHERE id = $1 AND NOT indexed AND ended_at IS NOT NULL RETURNING ordinal`,
    [runId],
  );
  const row = toSearchRow(said);
  if (!run || !row) return;
  await tx.query(
    `INSERT INTO ${s}.run_words (ordinal, words, answer) SELECT $1, ${INDEXED_WORDS}, $3 FROM (SELECT $2::text AS words) AS given`,
    [run.ordinal, row.words, JSON.stringify(row.answer)],
  );
}

/** Indexes a title that was given, instead of the one before. The caller holds the thread's row. */
export async function indexTitle(
  tx: Statements,
  s: string,
  { owner, ordinal, title }: { readonly owner: Owner; readonly ordinal: number; readonly title: string },
): Promise<void> {
  await tx.query(`DELETE FROM ${s}.run_words WHERE ordinal = $1`, [-ordinal]);
  const words = toIndexedWords(owner, [title]);
  if (words === undefined) return;
  await tx.query(
    `INSERT INTO ${s}.run_words (ordinal, words) SELECT $1, ${INDEXED_WORDS} FROM (SELECT $2::text AS words) AS given`,
    [-ordinal, words],
  );
}

import type { DatabaseSync } from 'node:sqlite';
import type { SaidText } from '../../../runs/event-log.js';
import type { ThreadRow } from '../../run-rows.js';
import { toIndexedWords, toSearchRow } from '../../search-rows.ts';

/** Indexes a run that has ended. */
export function indexingOn(db: DatabaseSync): (ordinal: number, said: SaidText) => void {
  const insert = db.prepare('INSERT INTO run_words (rowid, words, answer) VALUES (?, ?, ?)');
  return (ordinal, said) => {
    const row = toSearchRow(said);
    if (row) insert.run(ordinal, row.words, row.answer);
  };
}

/** Indexes a title that was given, instead of the one before. */
export function titleIndexingOn(db: DatabaseSync): (thread: ThreadRow, title: string) => void {
  const remove = db.prepare('DELETE FROM run_words WHERE rowid = ?');
  const insert = db.prepare('INSERT INTO run_words (rowid, words) VALUES (?, ?)');
  return ({ ordinal, tenant, user_id: userId }, title) => {
    remove.run(-ordinal);
    const words = toIndexedWords({ tenant, userId }, [title]);
    if (words !== undefined) insert.run(-ordinal, words);
  };
}

import type { AppendResult } from '../../runs/event-log.js';
import { toEndingColumns } from '../run-rows.js';
import { toSearchRow } from '../search-rows.js';
import type { AppendRow } from './append-rounds.js';
import type { Statements } from './postgres.database.js';
import { chargeText } from './spending.js';
import { INDEXED_WORDS } from './word-index.js';

const INPUT = `
  WITH input AS (
    SELECT * FROM unnest($1::text[], $2::bigint[], $3::int[], $4::int[], $5::text[], $6::text[], $7::text[], $8::text[],
        $9::text[], $10::bigint[], $11::text[], $12::text[])
      WITH ORDINALITY AS batch (
        run_id, epoch, after_seq, last_seq, frames, outcome, error, usage, approvals, awaiting_until, words, answer, place))`;

/** The texts of the statements that append, in one schema. */
export interface AppendTexts {
  readonly append: string;
  /** For rows of which one ends its run at least: most statements end none, and need not be planned for it. */
  readonly appendEndings: string;
  readonly find: string;
  /** Finds the refused rows that are not fenced: a message waits for their runs. */
  readonly current: string;
}

export function appendTexts(s: string): AppendTexts {
  return {
    append: appendText(s),
    appendEndings: appendText(
      s,
      `, touched AS (
      UPDATE ${s}.threads SET updated_at = advanced.ended_at
      FROM advanced WHERE threads.id = advanced.thread_id AND advanced.ended_at IS NOT NULL
    ), ended AS (
      SELECT advanced.*, input.usage, input.words, input.answer
      FROM advanced JOIN input USING (place) WHERE advanced.ended_at IS NOT NULL
    ), charged AS (${chargeText(s, 'ended')}
    ), worded AS (
      INSERT INTO ${s}.run_words (ordinal, words, answer)
      SELECT ordinal, ${INDEXED_WORDS}, answer FROM ended WHERE words IS NOT NULL
    )`,
      LEAVES_NO_MESSAGE,
    ),
    find: `${INPUT}
      SELECT input.place FROM input
      JOIN ${s}.runs ON runs.id = input.run_id
      JOIN ${s}.batches ON batches.run = runs.ordinal AND batches.last_seq = input.last_seq
      WHERE batches.first_seq = input.after_seq + 1 AND batches.epoch = input.epoch AND batches.frames = input.frames`,
    current: `${INPUT}
      SELECT input.place FROM input JOIN ${s}.runs ON runs.id = input.run_id WHERE ${IS_CURRENT}`,
  };
}

/** A run's row, if its owner and its log are those of the row to append. */
const IS_CURRENT = 'runs.epoch = input.epoch AND runs.last_seq = input.after_seq AND runs.ended_at IS NULL';

/** A run is not completed while a message waits for it. */
const LEAVES_NO_MESSAGE = ` AND NOT (runs.message_waits AND input.outcome IS NOT DISTINCT FROM 'completed')`;

/** Its WHERE is the fence. It waits for the holder of the run's row, and then reads the row as it is by then. */
function appendText(s: string, endings = '', fence = ''): string {
  return `${INPUT}, advanced AS (
      UPDATE ${s}.runs SET
        last_seq = input.last_seq,
        log_bytes = runs.log_bytes + octet_length(input.frames),
        status = coalesce(input.outcome, runs.status),
        ended_at = CASE WHEN input.outcome IS NOT NULL THEN ${s}.now_ms() END,
        error = input.error,
        usage = input.usage,
        approvals = input.approvals,
        indexed = input.outcome IS NOT NULL,
        awaiting_until = input.awaiting_until,
        owner_id = CASE WHEN input.outcome IS NULL THEN runs.owner_id END,
        lease_until = CASE
          WHEN input.outcome IS NOT NULL OR runs.owner_id IS NULL THEN 0
          ELSE greatest(runs.lease_until, ${s}.now_ms() + runs.lease_ms) END
      FROM input
      WHERE runs.id = input.run_id AND ${IS_CURRENT}${fence}
      RETURNING input.place, runs.ordinal, runs.thread_id, runs.ended_at, runs.tenant, runs.user_id, runs.agent
    ), inserted AS (
      INSERT INTO ${s}.batches (run, first_seq, last_seq, epoch, frames)
      SELECT advanced.ordinal, input.after_seq + 1, input.last_seq, input.epoch, input.frames
      FROM advanced JOIN input USING (place)
    )${endings}
    SELECT place FROM advanced`;
}

/**
 * Appends the rows of one round, each if it may. With `isRetry`, this was tried before with an unknown end: then a
 * row that is refused, but stands in the log exactly as it is here, was appended by that attempt. No other writer can have put
 * it there, because an epoch has one. It is looked for after appending, which has waited for an attempt that was still under way.
 */
export async function appendRows(
  tx: Statements,
  texts: AppendTexts,
  {
    rows,
    isRetry,
    results,
  }: { readonly rows: readonly AppendRow[]; readonly isRetry: boolean; readonly results: AppendResult[] },
): Promise<void> {
  const text = rows.some(({ ending }) => ending) ? texts.appendEndings : texts.append;
  const appended = await listPlaces(tx, text, rows);
  const refused = rows.filter((_, index) => !appended.has(index));
  const found = isRetry && refused.length > 0 ? await listPlaces(tx, texts.find, refused) : new Set<number>();
  const completing = refused.filter((row, index) => row.ending?.outcome === 'completed' && !found.has(index));
  const kept = completing.length > 0 ? await listPlaces(tx, texts.current, completing) : new Set<number>();
  for (const row of rows) {
    const isThere = !refused.includes(row) || found.has(refused.indexOf(row));
    const waits = kept.has(completing.indexOf(row));
    for (const place of row.places)
      results[place] = isThere ? 'appended' : waits ? 'message-waits' : 'fenced';
  }
}

/** Lists the positions of the rows that a statement returned, from 0. */
async function listPlaces(tx: Statements, text: string, rows: readonly AppendRow[]): Promise<Set<number>> {
  const endings = rows.map(({ ending }) => ending && toEndingColumns(ending));
  const texts = rows.map(({ ending }) => ending?.said && toSearchRow(ending.said));
  const found = await tx.query<{ place: number }>(text, [
    rows.map(({ runId }) => runId),
    rows.map(({ epoch }) => epoch),
    rows.map(({ afterSeq }) => afterSeq),
    rows.map(({ lastSeq }) => lastSeq),
    rows.map(({ frames }) => frames),
    endings.map((ending) => ending?.outcome ?? null),
    endings.map((ending) => ending?.error ?? null),
    endings.map((ending) => ending?.usage ?? null),
    endings.map((ending) => ending?.approvals ?? null),
    endings.map((ending) => ending?.awaitingUntil ?? null),
    texts.map((row) => row?.words ?? null),
    texts.map((row) => (row ? JSON.stringify(row.answer) : null)),
  ]);
  return new Set(found.map(({ place }) => place - 1));
}

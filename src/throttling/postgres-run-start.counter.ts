import { RunStartCounter } from './run-start.counter.js';
import type { SharedSql } from './shared-sql.js';

/** Run starts over all instances, in their PostgreSQL: a row for each principal, with the moments of the starts that count. */
export class PostgresRunStartCounter extends RunStartCounter {
  constructor(private readonly sql: SharedSql) {
    super();
  }

  override async increment(key: string, ttl: number, limit: number) {
    const { schema: s } = this.sql;
    // The row is locked by the insert or update itself, so that starts at the same moment are counted one after the other.
    const [row] = await this.sql.query<{ hits: number; allowed: boolean; wait: number }>(
      `WITH moment AS (SELECT ${s}.now_ms() AS now), counted AS (
         INSERT INTO ${s}.run_starts AS known (principal, hits)
         SELECT $1, ARRAY[now] FROM moment
         ON CONFLICT (principal) DO UPDATE SET hits = (
           SELECT CASE WHEN count(hit) < $3 THEN array_append(array_agg(hit ORDER BY hit), (SELECT now FROM moment))
             -- One more than allowed, at the end: it says that this start was refused, and goes with the next.
             ELSE array_append((array_agg(hit ORDER BY hit))[1:$3], 0::bigint) END
           FROM unnest(known.hits) AS hit WHERE hit > (SELECT now FROM moment) - $2)
         RETURNING hits)
       SELECT cardinality(hits) AS hits, hits[cardinality(hits)] <> 0 AS allowed,
         greatest(1, ceil((hits[1] + $2 - now) / 1000.0))::int AS wait
       FROM counted, moment`,
      [key, ttl, limit],
    );
    const { hits = 1, allowed = true, wait = 1 } = row ?? {};
    return {
      totalHits: hits,
      timeToExpire: wait,
      isBlocked: !allowed,
      timeToBlockExpire: allowed ? 0 : wait,
    };
  }

  override async giveBack(key: string): Promise<void> {
    const { schema: s } = this.sql;
    // The mark of a refused start, a 0, goes as well: it does not count.
    await this.sql.query(
      `UPDATE ${s}.run_starts SET hits = (
         SELECT coalesce(array_agg(hit ORDER BY hit), '{}')
         FROM (SELECT hit FROM unnest(hits) AS hit WHERE hit > 0 ORDER BY hit DESC OFFSET 1) AS earlier)
       WHERE principal = $1`,
      [key],
    );
  }
}

/** What retention looks for: runs that have ended and hold their whole log still, and threads that nobody uses any more. */
export const retention = (schema: string): string => `
  ALTER TABLE ${schema}.runs
    ADD COLUMN compacted boolean NOT NULL DEFAULT false,
    -- What its log takes: kept here, because the files of a table do not get smaller by what is removed from it.
    ADD COLUMN log_bytes bigint NOT NULL DEFAULT 0;
  CREATE INDEX runs_to_compact ON ${schema}.runs (ended_at) WHERE ended_at IS NOT NULL AND NOT compacted;
  CREATE INDEX threads_by_change ON ${schema}.threads (updated_at);
`;

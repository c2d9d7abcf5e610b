/** Lists of runs beyond one thread, in the order of their creation. */
export const runLists = (schema: string): string => `
  CREATE INDEX runs_of_owner ON ${schema}.runs (tenant, user_id, ordinal);
  CREATE INDEX runs_of_tenant ON ${schema}.runs (tenant, ordinal);
  CREATE INDEX runs_of_rare_ends ON ${schema}.runs (ordinal) WHERE status IN ('failed', 'cancelled', 'awaiting-input');
  CREATE INDEX runs_unended_by_age ON ${schema}.runs (ordinal) WHERE ended_at IS NULL;
`;

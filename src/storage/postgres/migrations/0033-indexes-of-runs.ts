/**
 * Finds runs that begin later, and runs that no search finds yet. By itself: the migrations that add the columns keep readers away from the table, and an
 * index is built for as long as it takes.
 */
export const indexesOfRuns = (schema: string): string => `
  CREATE INDEX runs_delayed ON ${schema}.runs (not_before) WHERE status = 'delayed';
  CREATE INDEX runs_to_index ON ${schema}.runs (ended_at) WHERE NOT indexed AND ended_at IS NOT NULL;
`;

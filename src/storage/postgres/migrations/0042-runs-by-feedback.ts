/** Finds runs with feedback. By itself, as all indexes of a new column: the migration that adds the column keeps readers away from the table. */
export const runsByFeedback = (schema: string): string => `
  CREATE INDEX runs_by_feedback ON ${schema}.runs (feedback_at, ordinal) WHERE feedback_at IS NOT NULL;
  CREATE INDEX runs_of_tenant_by_feedback ON ${schema}.runs (tenant, feedback_at, ordinal) WHERE feedback_at IS NOT NULL;
`;

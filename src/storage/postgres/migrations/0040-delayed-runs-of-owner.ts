/** Counts the runs of an owner that begin later. */
export const delayedRunsOfOwner = (schema: string): string => `
  CREATE INDEX runs_delayed_of_owner ON ${schema}.runs (tenant, user_id, not_before) WHERE status = 'delayed';
`;

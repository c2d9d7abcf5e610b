/** The runs of an owner that have asked for an answer. */
export const waitingRuns = (schema: string): string => `
  CREATE INDEX runs_waiting_of_owner ON ${schema}.runs (tenant, user_id, thread_id, ordinal) WHERE status = 'awaiting-input';
`;

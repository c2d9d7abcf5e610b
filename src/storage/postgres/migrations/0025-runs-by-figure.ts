const COST = `((usage::jsonb ->> 'costMicros')::bigint)`;
// `greatest` ignores nulls: without the condition an active run would count as one of no duration.
const DURATION = '(greatest(0, ended_at - created_at))';

/** Indexes for lists of runs by cost, where it is known, and by duration, once they have ended. */
export const runsByFigure = (schema: string): string => `
  CREATE INDEX runs_by_cost ON ${schema}.runs (${COST}, ordinal) WHERE ${COST} IS NOT NULL;
  CREATE INDEX runs_of_tenant_by_cost ON ${schema}.runs (tenant, ${COST}, ordinal) WHERE ${COST} IS NOT NULL;
  CREATE INDEX runs_of_owner_by_cost ON ${schema}.runs (tenant, user_id, ${COST}, ordinal) WHERE ${COST} IS NOT NULL;
  CREATE INDEX runs_by_duration ON ${schema}.runs (${DURATION}, ordinal) WHERE ended_at IS NOT NULL;
  CREATE INDEX runs_of_tenant_by_duration ON ${schema}.runs (tenant, ${DURATION}, ordinal) WHERE ended_at IS NOT NULL;
  CREATE INDEX runs_of_owner_by_duration ON ${schema}.runs (tenant, user_id, ${DURATION}, ordinal) WHERE ended_at IS NOT NULL;
`;

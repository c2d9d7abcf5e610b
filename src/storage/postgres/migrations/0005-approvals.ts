/** What runs that ended `awaiting-input` wait for. */
export const approvals = (schema: string): string => `
  ALTER TABLE ${schema}.runs
    -- JSON: the calls that the run stopped for, with the answers.
    ADD COLUMN approvals text,
    -- When the first of them expires that has no answer.
    ADD COLUMN awaiting_until bigint;
  CREATE INDEX runs_awaiting ON ${schema}.runs (awaiting_until) WHERE awaiting_until IS NOT NULL;
`;

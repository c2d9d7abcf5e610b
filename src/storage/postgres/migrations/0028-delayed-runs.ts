import { lockTables } from './lock-tables.js';

/**
 * Runs that begin later. Until then their status is `delayed`, which no index and no turn of the pending runs knows; the claim makes those pending
 * whose time has come.
 */
export const delayedRuns = (schema: string): string => `
  ${lockTables(schema, 'runs')}
  ALTER TABLE ${schema}.runs ADD COLUMN not_before bigint;

  -- A claim that a crash forgets was in vain, so its commit does not wait for the disk.
  CREATE OR REPLACE FUNCTION ${schema}.claim_run(
    new_owner text, new_lease integer, epoch_step bigint, at_most integer, in_hand text[], except_deaths integer)
  RETURNS SETOF ${schema}.runs LANGUAGE plpgsql VOLATILE AS $$
  DECLARE
    claimed bigint;
  BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    UPDATE ${schema}.runs SET status = 'pending' WHERE ordinal = ANY (ARRAY(
      SELECT ordinal FROM ${schema}.runs WHERE status = 'delayed' AND not_before <= ${schema}.now_ms()
      ORDER BY not_before LIMIT 100 FOR UPDATE SKIP LOCKED));
    -- Those whose owner fell silent go first: people have been watching them.
    SELECT ordinal INTO claimed FROM ${schema}.runs
    WHERE status = 'running' AND lease_until <= ${schema}.now_ms() AND id <> ALL (in_hand)
      AND (except_deaths IS NULL OR deaths + (owner_id IS NOT NULL)::integer <> except_deaths)
    ORDER BY ordinal LIMIT 1 FOR UPDATE SKIP LOCKED;
    claimed := coalesce(claimed, ${schema}.next_waiting_run(at_most));
    RETURN QUERY UPDATE ${schema}.runs SET
      status = 'running', epoch = epoch + epoch_step, owner_id = new_owner, lease_ms = new_lease,
      lease_until = ${schema}.now_ms() + new_lease, started_at = coalesce(started_at, ${schema}.now_ms()),
      deaths = deaths + (owner_id IS NOT NULL)::integer
    WHERE ordinal = claimed RETURNING runs.*;
  END $$;
`;

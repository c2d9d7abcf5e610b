/** Users whose waiting runs are walked through one by one; with more of them, their runs are looked at by age. */
const FEW_USERS = 128;

/**
 * Whose turn it is: of the runs that wait, the next is one of the tenant with the fewest runs at work, of the user among its users
 * with the fewest, and then the oldest; and none of a user who has as many at work as one may have.
 *
 * Functions, because each statement in one sees what was committed before it: a claim waits for the lock of its principal, and
 * counts what there is by then.
 */
export const turns = (schema: string): string => `
  CREATE INDEX runs_waiting ON ${schema}.runs (tenant, user_id, ordinal) WHERE status = 'pending';
  CREATE INDEX runs_waiting_by_age ON ${schema}.runs (ordinal) INCLUDE (tenant, user_id) WHERE status = 'pending';
  CREATE INDEX runs_at_work_by_owner ON ${schema}.runs (tenant, user_id) WHERE status = 'running';
  DROP INDEX ${schema}.runs_at_work;

  CREATE FUNCTION ${schema}.turn_lock(of_tenant text, of_user text) RETURNS bigint LANGUAGE sql STABLE
    AS $$ SELECT hashtextextended(json_build_array('${schema}', 'turn', of_tenant, of_user)::text, 0) $$;

  -- Whether a new run may begin at once: there is room for it, and none of the same user waits for an owner.
  CREATE FUNCTION ${schema}.may_begin(of_tenant text, of_user text, at_most integer)
  RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    IF at_most IS NULL THEN RETURN true; END IF;
    PERFORM pg_advisory_xact_lock(${schema}.turn_lock(of_tenant, of_user));
    RETURN (${runsAtWork(schema)}) < at_most AND NOT EXISTS (
      SELECT 1 FROM ${schema}.runs AS waiting
      WHERE status = 'pending' AND tenant = of_tenant AND user_id = of_user AND ${isFirst(schema, 'waiting')});
  END $$;

  -- The user's oldest run that waits for nothing but an owner, locked; null when there is none, or no room for it.
  CREATE FUNCTION ${schema}.next_run_of(of_tenant text, of_user text, at_most integer, may_wait boolean)
  RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
  DECLARE
    next_run bigint;
  BEGIN
    IF at_most IS NOT NULL THEN
      -- Waits for one lock only: two that wait for two could wait for each other.
      IF may_wait THEN PERFORM pg_advisory_xact_lock(${schema}.turn_lock(of_tenant, of_user));
      ELSIF NOT pg_try_advisory_xact_lock(${schema}.turn_lock(of_tenant, of_user)) THEN RETURN NULL;
      END IF;
      IF (${runsAtWork(schema)}) >= at_most THEN RETURN NULL; END IF;
    END IF;
    SELECT ordinal INTO next_run FROM ${schema}.runs AS waiting
    WHERE status = 'pending' AND tenant = of_tenant AND user_id = of_user AND ${isFirst(schema, 'waiting')}
    ORDER BY ordinal LIMIT 1 FOR UPDATE OF waiting SKIP LOCKED;
    RETURN next_run;
  END $$;

  -- Up to so many users with runs that wait, and the oldest of these runs.
  CREATE FUNCTION ${schema}.waiting_users(up_to integer)
  RETURNS TABLE (tenant text, user_id text, oldest bigint) LANGUAGE sql VOLATILE AS $$
    WITH RECURSIVE walked AS (
      (SELECT runs.tenant, runs.user_id, runs.ordinal FROM ${schema}.runs
       WHERE status = 'pending' ORDER BY runs.tenant, runs.user_id, runs.ordinal LIMIT 1)
      UNION ALL
      SELECT following.* FROM walked, LATERAL (
        SELECT runs.tenant, runs.user_id, runs.ordinal FROM ${schema}.runs
        WHERE status = 'pending' AND (runs.tenant, runs.user_id) > (walked.tenant, walked.user_id)
        ORDER BY runs.tenant, runs.user_id, runs.ordinal LIMIT 1) AS following
    )
    SELECT * FROM walked LIMIT up_to
  $$;

  -- The next run that waits, locked; null when there is none that may be claimed.
  CREATE FUNCTION ${schema}.next_waiting_run(at_most integer) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
  DECLARE
    turn record;
    light_tenants text[];
    may_wait boolean := true;
    few boolean := true;
    next_run bigint;
  BEGIN
    ${eachTurn(schema, `SELECT * FROM ${schema}.waiting_users(${FEW_USERS + 1})`, FEW_USERS)}
    IF few THEN RETURN NULL; END IF;

    -- Many users wait, so most often one of them has nothing at work, and the oldest such run is soon found by age. Which tenants wait
    -- is told by a walk through the index, as far as the first with nothing at work.
    IF EXISTS (
      WITH RECURSIVE walked AS (
        SELECT (SELECT min(tenant) FROM ${schema}.runs WHERE status = 'pending') AS tenant
        UNION ALL
        SELECT (SELECT min(runs.tenant) FROM ${schema}.runs WHERE status = 'pending' AND runs.tenant > walked.tenant)
        FROM walked WHERE walked.tenant IS NOT NULL
      )
      SELECT 1 FROM walked
      WHERE tenant IS NOT NULL AND tenant NOT IN (SELECT tenant FROM ${schema}.runs WHERE status = 'running')
    ) THEN
      SELECT tenant, user_id INTO turn FROM ${schema}.runs
      WHERE status = 'pending' AND tenant NOT IN (SELECT tenant FROM ${schema}.runs WHERE status = 'running')
      ORDER BY ordinal LIMIT 1;
    ELSE
      light_tenants := ARRAY(
        SELECT tenant FROM (
          SELECT tenant, rank() OVER (ORDER BY runs) AS place
          FROM (SELECT tenant, count(*) AS runs FROM ${schema}.runs WHERE status = 'running' GROUP BY tenant) AS at_work
          WHERE EXISTS (
            SELECT 1 FROM ${schema}.runs WHERE status = 'pending' AND runs.tenant = at_work.tenant)) AS ranked
        WHERE place = 1);
      SELECT tenant, user_id INTO turn FROM ${schema}.runs
      WHERE status = 'pending' AND tenant = ANY (light_tenants)
        AND (tenant, user_id) NOT IN (SELECT tenant, user_id FROM ${schema}.runs WHERE status = 'running')
      ORDER BY ordinal LIMIT 1;
    END IF;
    IF FOUND THEN
      next_run := ${schema}.next_run_of(turn.tenant, turn.user_id, at_most, may_wait);
      IF next_run IS NOT NULL THEN RETURN next_run; END IF;
      may_wait := false;
    END IF;
    ${eachTurn(
      schema,
      `SELECT tenant, user_id, min(ordinal) AS oldest FROM ${schema}.runs WHERE status = 'pending' GROUP BY tenant, user_id`,
    )}
    RETURN NULL;
  END $$;

  -- A claim that a crash forgets was in vain, so its commit does not wait for the disk.
  CREATE FUNCTION ${schema}.claim_run(new_owner text, new_lease integer, epoch_step bigint, at_most integer)
  RETURNS SETOF ${schema}.runs LANGUAGE plpgsql VOLATILE AS $$
  DECLARE
    claimed bigint;
  BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    -- Those whose owner fell silent go first: people have been watching them.
    SELECT ordinal INTO claimed FROM ${schema}.runs
    WHERE status = 'running' AND lease_until <= ${schema}.now_ms()
    ORDER BY ordinal LIMIT 1 FOR UPDATE SKIP LOCKED;
    claimed := coalesce(claimed, ${schema}.next_waiting_run(at_most));
    RETURN QUERY UPDATE ${schema}.runs SET
      status = 'running', epoch = epoch + epoch_step, owner_id = new_owner, lease_ms = new_lease,
      lease_until = ${schema}.now_ms() + new_lease, started_at = coalesce(started_at, ${schema}.now_ms())
    WHERE ordinal = claimed RETURNING runs.*;
  END $$;
`;

function runsAtWork(schema: string): string {
  return `SELECT count(*) FROM ${schema}.runs WHERE status = 'running' AND tenant = of_tenant AND user_id = of_user`;
}

/** True of a run with no unended run before it in its thread. */
function isFirst(schema: string, alias: string): string {
  return `NOT EXISTS (
        SELECT 1 FROM ${schema}.runs AS earlier
        WHERE earlier.thread_id = ${alias}.thread_id AND earlier.ended_at IS NULL AND earlier.ordinal < ${alias}.ordinal)`;
}

/** Returns the run of the first of these users, in the order of their turns, who has one that may be claimed. */
function eachTurn(schema: string, waiting: string, atMostUsers?: number): string {
  return `FOR turn IN
      WITH at_work AS MATERIALIZED (
        SELECT tenant, user_id, count(*) AS runs FROM ${schema}.runs WHERE status = 'running' GROUP BY tenant, user_id
      ), at_work_of_tenant AS (
        SELECT tenant, sum(runs) AS runs FROM at_work GROUP BY tenant
      )
      SELECT tenant, user_id, coalesce(at_work.runs, 0) AS runs, count(*) OVER () AS users FROM (${waiting}) AS waiting
      LEFT JOIN at_work USING (tenant, user_id) LEFT JOIN at_work_of_tenant USING (tenant)
      ORDER BY coalesce(at_work_of_tenant.runs, 0), coalesce(at_work.runs, 0), oldest
    LOOP
      ${atMostUsers === undefined ? '' : `IF turn.users > ${atMostUsers} THEN few := false; EXIT; END IF;`}
      CONTINUE WHEN turn.runs >= at_most;
      next_run := ${schema}.next_run_of(turn.tenant, turn.user_id, at_most, may_wait);
      IF next_run IS NOT NULL THEN RETURN next_run; END IF;
      may_wait := false;
    END LOOP;`;
}

/** Threads, runs and their logs. All times are milliseconds since the epoch, by the clock of the database. */
export const runsAndLogs = (schema: string): string => `
  CREATE FUNCTION ${schema}.now_ms() RETURNS bigint LANGUAGE sql STABLE
    AS $$ SELECT (extract(epoch FROM statement_timestamp()) * 1000)::bigint $$;

  CREATE TABLE ${schema}.threads (
    -- The order of creation. Never used twice: page cursors name it.
    ordinal bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL UNIQUE,
    tenant text NOT NULL,
    user_id text NOT NULL,
    -- JSON, as the message of a run: PostgreSQL's text holds no NUL, and people paste anything.
    title text NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL
  );
  CREATE INDEX threads_of_owner ON ${schema}.threads (tenant, user_id, updated_at, ordinal);

  CREATE TABLE ${schema}.runs (
    ordinal bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL UNIQUE,
    thread_id text NOT NULL,
    agent text NOT NULL,
    tenant text NOT NULL,
    user_id text NOT NULL,
    roles text NOT NULL,
    message_id text NOT NULL,
    resume_of text,
    idempotency_key text,
    fingerprint text,
    status text NOT NULL,
    epoch integer NOT NULL,
    -- Null before the first claim and after a release.
    owner_id text,
    lease_until bigint NOT NULL,
    -- What the owner asked for; an append prolongs the lease by as much again.
    lease_ms integer NOT NULL,
    first_seq integer NOT NULL,
    -- Here and not only in the log: the row is what an append locks, checks and moves on.
    last_seq integer NOT NULL,
    cancel_requested boolean NOT NULL,
    created_at bigint NOT NULL,
    started_at bigint,
    -- Null until the run has ended, whatever its outcome.
    ended_at bigint,
    error text,
    usage text,
    metadata text NOT NULL,
    message text NOT NULL
  ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
  -- No index has a column that an append or a renewal changes: those updates stay within their page and touch no index.
  CREATE INDEX runs_of_thread ON ${schema}.runs (thread_id, ordinal);
  CREATE INDEX runs_unended ON ${schema}.runs (thread_id, ordinal) WHERE ended_at IS NULL;
  CREATE INDEX runs_at_work ON ${schema}.runs (tenant) WHERE status = 'running';
  CREATE UNIQUE INDEX runs_by_idempotency_key ON ${schema}.runs (tenant, user_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL;

  -- One row per run and commit. The key is also the order of reading, so a reader's place is found at any length of the log.
  CREATE TABLE ${schema}.batches (
    run bigint NOT NULL,
    first_seq integer NOT NULL,
    last_seq integer NOT NULL,
    epoch integer NOT NULL,
    -- JSON lines; a NUL in an event is an escape in them.
    frames text NOT NULL,
    PRIMARY KEY (run, last_seq)
  ) WITH (autovacuum_vacuum_scale_factor = 0.05);
`;

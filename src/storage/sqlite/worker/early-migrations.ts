/** The migrations up to the table of items. This list is complete: `schema.ts` continues it, and new migrations go there. */
export const EARLY_MIGRATIONS = [
  `
  CREATE TABLE threads (
    -- The order of creation. Never used twice: page cursors name it.
    ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    tenant TEXT NOT NULL,
    user_id TEXT NOT NULL,
    title TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
  );
  CREATE INDEX threads_of_owner ON threads (tenant, user_id, updated_at);
  CREATE INDEX threads_by_change ON threads (updated_at);

  CREATE TABLE runs (
    ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    thread_id TEXT NOT NULL,
    agent TEXT NOT NULL,
    tenant TEXT NOT NULL,
    user_id TEXT NOT NULL,
    roles TEXT NOT NULL,
    message_id TEXT NOT NULL,
    resume_of TEXT,
    idempotency_key TEXT,
    fingerprint TEXT,
    status TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    -- Null before the first claim and after a release.
    owner_id TEXT,
    lease_until INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    cancel_requested INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    -- Null until the run has ended, whatever its outcome.
    ended_at INTEGER,
    -- 1 once its log was compacted.
    compacted INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    usage TEXT,
    metadata TEXT NOT NULL,
    message TEXT NOT NULL
  );
  CREATE INDEX runs_of_thread ON runs (thread_id);
  CREATE INDEX runs_unended ON runs (thread_id) WHERE ended_at IS NULL;
  CREATE INDEX runs_to_compact ON runs (ended_at) WHERE compacted = 0 AND ended_at IS NOT NULL;
  CREATE UNIQUE INDEX runs_by_idempotency_key ON runs (tenant, user_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL;

  -- One row per run and commit; of a compacted log, one per stretch of seqs without a gap. The table is only appended to until
  -- then; the index is small.
  CREATE TABLE batches (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    frames TEXT NOT NULL
  );
  CREATE UNIQUE INDEX batches_of_run ON batches (run, last_seq);

  CREATE TABLE checkpoints (
    id INTEGER PRIMARY KEY,
    thread_id TEXT NOT NULL,
    namespace TEXT NOT NULL,
    checkpoint_id TEXT NOT NULL,
    parent_id TEXT,
    -- For a subgraph: the checkpoint whose task it works on.
    origin_namespace TEXT,
    origin_id TEXT,
    -- JSON: the pairs of channel and version that have a value here.
    channels TEXT NOT NULL,
    metadata_type TEXT NOT NULL,
    metadata BLOB NOT NULL,
    -- Last, because it is large: what is read without it is read without its pages.
    checkpoint_type TEXT NOT NULL,
    checkpoint BLOB NOT NULL
  );
  CREATE UNIQUE INDEX checkpoints_by_name ON checkpoints (thread_id, namespace, checkpoint_id);
  CREATE INDEX checkpoints_of_origin ON checkpoints (thread_id, origin_namespace, origin_id)
    WHERE origin_namespace IS NOT NULL;

  -- What a channel holds, once for all the checkpoints that have it in this version.
  CREATE TABLE checkpoint_values (
    id INTEGER PRIMARY KEY,
    thread_id TEXT NOT NULL,
    namespace TEXT NOT NULL,
    channel TEXT NOT NULL,
    version TEXT NOT NULL,
    type TEXT NOT NULL,
    value BLOB NOT NULL
  );
  CREATE UNIQUE INDEX checkpoint_values_by_name ON checkpoint_values (thread_id, namespace, channel, version);

  CREATE TABLE checkpoint_writes (
    id INTEGER PRIMARY KEY,
    thread_id TEXT NOT NULL,
    namespace TEXT NOT NULL,
    checkpoint_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    idx INTEGER NOT NULL,
    task_path TEXT NOT NULL,
    channel TEXT NOT NULL,
    type TEXT NOT NULL,
    value BLOB NOT NULL
  );
  CREATE UNIQUE INDEX checkpoint_writes_by_name
    ON checkpoint_writes (thread_id, namespace, checkpoint_id, task_id, idx);

  CREATE TABLE health (id INTEGER PRIMARY KEY CHECK (id = 1), checked_at INTEGER NOT NULL, probe BLOB NOT NULL);
  `,
  `
  -- JSON: the calls that the run stopped for, with the answers.
  ALTER TABLE runs ADD COLUMN approvals TEXT;
  -- When the first of them expires that has no answer.
  ALTER TABLE runs ADD COLUMN awaiting_until INTEGER;
  CREATE INDEX runs_awaiting ON runs (awaiting_until) WHERE awaiting_until IS NOT NULL;
  `,
  `
  -- The oldest first, so that a claim need not sort all that wait.
  CREATE INDEX runs_unended_by_age ON runs (ordinal) WHERE ended_at IS NULL;
  `,
  `
  -- Small facts that outlive the process: keys, switches, what an operator accepted. Values are JSON.
  CREATE TABLE shared_state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  `,
  `
  -- A thread's id here, and in every table that names a thread, is its key: one among all owners, and never used again. This is what its
  -- owner calls it, where that is another: an id that a client has minted. Null: the same as the key.
  ALTER TABLE threads ADD COLUMN name TEXT;
  ALTER TABLE runs ADD COLUMN thread_name TEXT;
  CREATE UNIQUE INDEX threads_by_name ON threads (tenant, user_id, name) WHERE name IS NOT NULL;
  `,
  `
  -- Whose turn it is: how many runs of each principal are at work, and which of theirs waits for longest.
  CREATE INDEX runs_by_turn ON runs (status, tenant, user_id, ordinal) WHERE ended_at IS NULL;
  `,
  `
  -- What a run takes that has ended, its message and its log: an owner's share is the sum of these.
  ALTER TABLE runs ADD COLUMN kept_bytes INTEGER NOT NULL DEFAULT 0;
  UPDATE runs SET kept_bytes = octet_length(message) + (
    SELECT coalesce(sum(octet_length(frames)), 0) FROM batches WHERE batches.run = runs.ordinal)
  WHERE ended_at IS NOT NULL;
  CREATE INDEX runs_kept ON runs (tenant, user_id, kept_bytes) WHERE ended_at IS NOT NULL;
  `,
  `
  -- How many of its owners have died with the run in hand.
  ALTER TABLE runs ADD COLUMN deaths INTEGER NOT NULL DEFAULT 0;
  `,
  `
  -- What a start gave its agent beside the message, as JSON.
  ALTER TABLE runs ADD COLUMN given TEXT;
  `,
  `
  -- The long-term memory of agents. A path is the labels of a namespace.
  CREATE TABLE items (
    -- The order of creation.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    -- Empty: shared by the users of the tenant.
    user_id TEXT NOT NULL,
    path TEXT NOT NULL,
    key TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    ttl_ms INTEGER,
    expires_at INTEGER,
    bytes INTEGER NOT NULL,
    value TEXT NOT NULL,
    vectors BLOB
  );
  CREATE UNIQUE INDEX items_by_name ON items (tenant, user_id, path, key);
  CREATE INDEX items_kept ON items (tenant, user_id, expires_at, bytes);
  CREATE INDEX items_to_expire ON items (expires_at) WHERE expires_at IS NOT NULL;
  `,
];

import { EARLY_MIGRATIONS } from './early-migrations.ts';

// Never edit a migration that was released: add the next. The number of those that ran is the database's user_version.
export const MIGRATIONS = [
  ...EARLY_MIGRATIONS,
  `
  -- Lists of runs beyond one thread, in the order of their creation.
  CREATE INDEX runs_of_owner ON runs (tenant, user_id, ordinal);
  CREATE INDEX runs_of_tenant ON runs (tenant, ordinal);
  CREATE INDEX runs_of_rare_ends ON runs (ordinal) WHERE status IN ('failed', 'cancelled', 'awaiting-input');
  `,
  `
  -- The place in a trace that the owners of the run continue.
  ALTER TABLE runs ADD COLUMN traceparent TEXT;
  `,
  `
  -- What ended runs have used, in sums. They outlive the threads. A figure is null until a run has it.
  CREATE TABLE spending (
    -- Of the runs' ends, in UTC: 2026-11.
    month TEXT NOT NULL,
    tenant TEXT NOT NULL,
    user_id TEXT NOT NULL,
    agent TEXT NOT NULL,
    runs INTEGER NOT NULL,
    input_tokens INTEGER,
    output_tokens INTEGER,
    total_tokens INTEGER,
    cached_input_tokens INTEGER,
    cache_write_input_tokens INTEGER,
    image_input_tokens INTEGER,
    reasoning_tokens INTEGER,
    image_output_tokens INTEGER,
    cost_micros INTEGER,
    unpriced_tokens INTEGER,
    PRIMARY KEY (month, tenant, user_id, agent)
  ) WITHOUT ROWID;
  CREATE INDEX spending_of_owner ON spending (tenant, user_id);
  `,
  `
  -- Files of conversations.
  CREATE TABLE blobs (
    ordinal INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    user_id TEXT NOT NULL,
    id TEXT NOT NULL,
    thread_id TEXT NOT NULL,
    media_type TEXT NOT NULL,
    name TEXT,
    bytes INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    -- Last, because it is large.
    data BLOB NOT NULL
  );
  CREATE UNIQUE INDEX blobs_by_id ON blobs (tenant, user_id, id);
  CREATE INDEX blobs_kept ON blobs (tenant, user_id, bytes);
  CREATE INDEX blobs_of_thread ON blobs (thread_id);
  `,
  `
  -- The run that continues another.
  CREATE INDEX runs_by_continued ON runs (resume_of) WHERE resume_of IS NOT NULL;
  `,
  `
  -- Lists of runs by what they cost, where that is known, and by how long they took.
  CREATE INDEX runs_by_cost ON runs (json_extract(usage, '$.costMicros'), ordinal)
    WHERE json_extract(usage, '$.costMicros') IS NOT NULL;
  CREATE INDEX runs_of_tenant_by_cost ON runs (tenant, json_extract(usage, '$.costMicros'), ordinal)
    WHERE json_extract(usage, '$.costMicros') IS NOT NULL;
  CREATE INDEX runs_of_owner_by_cost ON runs (tenant, user_id, json_extract(usage, '$.costMicros'), ordinal)
    WHERE json_extract(usage, '$.costMicros') IS NOT NULL;
  CREATE INDEX runs_by_duration ON runs (max(0, ended_at - created_at), ordinal)
    WHERE ended_at IS NOT NULL;
  CREATE INDEX runs_of_tenant_by_duration ON runs (tenant, max(0, ended_at - created_at), ordinal)
    WHERE ended_at IS NOT NULL;
  CREATE INDEX runs_of_owner_by_duration ON runs (tenant, user_id, max(0, ended_at - created_at), ordinal)
    WHERE ended_at IS NOT NULL;
  `,
  `
  ALTER TABLE threads ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE threads ADD COLUMN archived INTEGER NOT NULL DEFAULT 0;
  -- The change that its owner has seen last. Null: whatever there is, as in threads that are older than this column.
  ALTER TABLE threads ADD COLUMN read_at INTEGER;
  `,
  `
  -- The run after which a run was asked. Null: the one before it in the thread. Empty: none.
  ALTER TABLE runs ADD COLUMN parent_id TEXT;
  -- 1 once a run was asked elsewhere than after the newest one.
  ALTER TABLE threads ADD COLUMN has_branches INTEGER NOT NULL DEFAULT 0;
  -- The run that stored a checkpoint: the newest of each remains.
  ALTER TABLE checkpoints ADD COLUMN run_id TEXT;
  CREATE INDEX checkpoints_of_runs ON checkpoints (thread_id, checkpoint_id, run_id) WHERE namespace = '';
  `,
  `
  -- The runs of an owner that have asked for an answer.
  CREATE INDEX runs_waiting_of_owner ON runs (tenant, user_id, thread_id, ordinal) WHERE status = 'awaiting-input';
  `,
  `
  -- JSON: the owner's notes. Null: none.
  ALTER TABLE threads ADD COLUMN metadata TEXT;
  `,
  `
  -- Configurations of agents that users have made, as JSON.
  CREATE TABLE assistants (
    ordinal INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    user_id TEXT NOT NULL,
    id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    document TEXT NOT NULL
  );
  CREATE UNIQUE INDEX assistants_by_id ON assistants (tenant, user_id, id);
  `,
  `
  -- The words of ended runs, each behind the mark of its owner; under the negative ordinal of a thread, those of a title that was given. We split
  -- the words: what is left for the tokenizer are spaces.
  CREATE VIRTUAL TABLE run_words USING fts5 (words, answer UNINDEXED, detail = none, columnsize = 0, tokenize = 'ascii');
  -- What is deleted leaves no words behind in the index.
  INSERT INTO run_words (run_words, rank) VALUES ('secure-delete', 1);
  -- 0: no search finds the run, because an earlier version has ended it.
  ALTER TABLE runs ADD COLUMN indexed INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX runs_to_index ON runs (ended_at) WHERE indexed = 0 AND ended_at IS NOT NULL;
  `,
  `
  -- When an upload is removed that no run has taken. Its thread_id is empty.
  ALTER TABLE blobs ADD COLUMN expires_at INTEGER;
  CREATE INDEX blobs_expiring ON blobs (expires_at) WHERE expires_at IS NOT NULL;
  CREATE INDEX blobs_uploaded ON blobs (tenant, user_id) WHERE expires_at IS NOT NULL;
  `,
  `
  -- Time before which a run that begins later gets no owner. Until then its status is 'delayed'.
  ALTER TABLE runs ADD COLUMN not_before INTEGER;
  CREATE INDEX runs_delayed ON runs (not_before) WHERE status = 'delayed';
  `,
  `
  -- JSON: the judgement of the person who asked, and when it was last changed.
  ALTER TABLE runs ADD COLUMN feedback TEXT;
  ALTER TABLE runs ADD COLUMN feedback_at INTEGER;
  CREATE INDEX runs_by_feedback ON runs (feedback_at, ordinal) WHERE feedback_at IS NOT NULL;
  CREATE INDEX runs_of_tenant_by_feedback ON runs (tenant, feedback_at, ordinal) WHERE feedback_at IS NOT NULL;
  `,
  `
  -- Name of the object that has the bytes, if they are not in \`data\`.
  ALTER TABLE blobs ADD COLUMN object TEXT;
  -- Objects that no blob names: not yet, or no longer. Each is removed at its time, and no blob may name it once it is claimed.
  CREATE TABLE object_notes (
    object TEXT PRIMARY KEY,
    due_at INTEGER NOT NULL,
    claimed INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX object_notes_due ON object_notes (due_at);
  CREATE INDEX blobs_in_objects ON blobs (bytes) WHERE object IS NOT NULL;
  CREATE TRIGGER blobs_leave_objects AFTER DELETE ON blobs WHEN old.object IS NOT NULL
    BEGIN INSERT OR REPLACE INTO object_notes (object, due_at, claimed) VALUES (old.object, 0, 1); END;
  `,
  `
  -- The run of another thread of which this one is a copy.
  ALTER TABLE runs ADD COLUMN copy_of TEXT;
  -- A copy of a thread has its files under the same ids.
  DROP INDEX blobs_by_id;
  CREATE UNIQUE INDEX blobs_by_id ON blobs (tenant, user_id, id, thread_id);
  -- They share its objects: each goes with the last file that names it.
  CREATE INDEX blobs_by_object ON blobs (object) WHERE object IS NOT NULL;
  DROP TRIGGER blobs_leave_objects;
  CREATE TRIGGER blobs_leave_objects AFTER DELETE ON blobs
    WHEN old.object IS NOT NULL AND NOT EXISTS (SELECT 1 FROM blobs WHERE object = old.object)
    BEGIN INSERT OR REPLACE INTO object_notes (object, due_at, claimed) VALUES (old.object, 0, 1); END;
  `,
  `
  -- Counts the runs of an owner that begin later.
  CREATE INDEX runs_delayed_of_owner ON runs (tenant, user_id, not_before) WHERE status = 'delayed';
  `,
  `
  -- The lifetime of a thread, and when it was given. It counts from then, or from the thread's last change if that is later.
  ALTER TABLE threads ADD COLUMN ttl_ms INTEGER;
  ALTER TABLE threads ADD COLUMN ttl_at INTEGER;
  CREATE INDEX threads_by_expiry ON threads (max(updated_at, ttl_at) + ttl_ms) WHERE ttl_ms IS NOT NULL;
  `,
  `
  -- JSON: messages to the run while it was under way.
  ALTER TABLE runs ADD COLUMN messages TEXT;
  -- 1 while the run has not taken one of them.
  ALTER TABLE runs ADD COLUMN message_waits INTEGER NOT NULL DEFAULT 0;
  `,
];

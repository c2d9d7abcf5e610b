/** Files of conversations. */
export const blobs = (schema: string): string => `
  CREATE TABLE ${schema}.blobs (
    tenant text NOT NULL,
    user_id text NOT NULL,
    id text COLLATE "C" NOT NULL,
    thread_id text NOT NULL,
    media_type text NOT NULL,
    -- JSON: PostgreSQL's text holds no NUL.
    name text,
    bytes integer NOT NULL,
    created_at bigint NOT NULL,
    data bytea NOT NULL,
    PRIMARY KEY (tenant, user_id, id)
  );
  -- Images and their like are compressed already.
  ALTER TABLE ${schema}.blobs ALTER COLUMN data SET STORAGE EXTERNAL;
  CREATE INDEX blobs_of_thread ON ${schema}.blobs (thread_id);
  CREATE INDEX blobs_kept ON ${schema}.blobs (tenant, user_id, bytes);
`;

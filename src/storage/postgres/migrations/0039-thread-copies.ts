import { lockTables } from './lock-tables.js';

/**
 * The run of another thread of which a run is a copy. A copy of a thread has its files under the same ids, and shares their objects: each goes with the
 * last file that names it. Who deletes one of them waits for the others, because neither would see that the other goes as well.
 */
export const threadCopies = (schema: string): string => `
  ${lockTables(schema, 'runs', 'blobs')}
  ALTER TABLE ${schema}.runs ADD COLUMN copy_of text;
  ALTER TABLE ${schema}.blobs DROP CONSTRAINT blobs_pkey, ADD PRIMARY KEY (tenant, user_id, id, thread_id);
  CREATE INDEX blobs_by_object ON ${schema}.blobs (object) WHERE object IS NOT NULL;
  CREATE OR REPLACE FUNCTION ${schema}.note_object() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(old.object, 0));
    IF NOT EXISTS (SELECT 1 FROM ${schema}.blobs WHERE object = old.object) THEN
      INSERT INTO ${schema}.object_notes (object, due_at, claimed) VALUES (old.object, 0, true)
      ON CONFLICT (object) DO UPDATE SET due_at = 0, claimed = true;
    END IF;
    RETURN NULL;
  END $$;
`;

import { lockTables } from './lock-tables.js';

/**
 * Names of the objects that have the bytes of files, and notes of objects that no file names: not yet, or no longer. Each is removed at its time, and no
 * file may name it once it is claimed.
 */
export const objects = (schema: string): string => `
  ${lockTables(schema, 'blobs')}
  ALTER TABLE ${schema}.blobs ADD COLUMN object text;
  CREATE TABLE ${schema}.object_notes (
    object text PRIMARY KEY,
    due_at bigint NOT NULL,
    claimed boolean NOT NULL
  );
  CREATE INDEX object_notes_due ON ${schema}.object_notes (due_at);
  CREATE FUNCTION ${schema}.note_object() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO ${schema}.object_notes (object, due_at, claimed) VALUES (old.object, 0, true)
    ON CONFLICT (object) DO UPDATE SET due_at = 0, claimed = true;
    RETURN NULL;
  END $$;
  CREATE TRIGGER blobs_leave_objects AFTER DELETE ON ${schema}.blobs
    FOR EACH ROW WHEN (old.object IS NOT NULL) EXECUTE FUNCTION ${schema}.note_object();
`;

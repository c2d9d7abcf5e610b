import { lockTables } from './lock-tables.js';

/**
 * The words of ended runs, each behind the mark of its owner; under the negative ordinal of a thread, those of a title that was given. `indexed` is
 * false for a run that no search finds, because an earlier version has ended it.
 */
export const runWords = (schema: string): string => `
  ${lockTables(schema, 'runs', 'threads')}
  CREATE TABLE ${schema}.run_words (
    ordinal bigint PRIMARY KEY,
    -- Our own words, not those of a text search configuration: all languages are found, however the database was made.
    words tsvector NOT NULL,
    -- JSON: PostgreSQL's text holds no NUL.
    answer text
  );
  -- The words of an owner are neighbours: to insert them touches few pages, and a list of pending ones would hold up the append that empties it.
  CREATE INDEX run_words_by_word ON ${schema}.run_words USING gin (words) WITH (fastupdate = off);
  ALTER TABLE ${schema}.runs ADD COLUMN indexed boolean NOT NULL DEFAULT false;

  -- By triggers, because an instance of an earlier version deletes threads too, and does not know of their words. Each statement of a function sees what
  -- was stored until then: a deletion has waited for those who held its rows.
  CREATE FUNCTION ${schema}.forget_run_words() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    DELETE FROM ${schema}.run_words WHERE ordinal = ANY (ARRAY(SELECT ordinal FROM gone));
    RETURN NULL;
  END $$;
  CREATE TRIGGER forget_words AFTER DELETE ON ${schema}.runs REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION ${schema}.forget_run_words();
  CREATE FUNCTION ${schema}.forget_title_words() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    DELETE FROM ${schema}.run_words WHERE ordinal = ANY (ARRAY(SELECT -ordinal FROM gone));
    RETURN NULL;
  END $$;
  CREATE TRIGGER forget_words AFTER DELETE ON ${schema}.threads REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION ${schema}.forget_title_words();
`;

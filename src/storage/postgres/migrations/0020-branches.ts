import { lockTables } from './lock-tables.js';

/**
 * The run before a run in its branch. Null: the one before it in time. Empty: none. A thread has branches once a run did not follow its newest
 * one.
 */
export const branches = (schema: string): string => `
  ${lockTables(schema, 'runs', 'threads')}
  ALTER TABLE ${schema}.runs ADD COLUMN parent_id text;
  ALTER TABLE ${schema}.threads ADD COLUMN has_branches boolean NOT NULL DEFAULT false;
`;

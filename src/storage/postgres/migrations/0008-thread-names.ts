/**
 * Thread ids are their owners' own. A thread's id in these tables, and `thread_id` wherever something belongs to a thread, LangGraph's
 * tables included, is its key from now on: one among all owners, and never used again. The columns added here are what its owner
 * calls it, where that is another: an id that a client has minted. Null: the same as the key, as with every thread until now, so
 * nothing that is stored has to be written anew.
 */
export const threadNames = (schema: string): string => `
  ALTER TABLE ${schema}.threads ADD COLUMN name text;
  ALTER TABLE ${schema}.runs ADD COLUMN thread_name text;
  CREATE UNIQUE INDEX threads_by_name ON ${schema}.threads (tenant, user_id, name) WHERE name IS NOT NULL;
`;

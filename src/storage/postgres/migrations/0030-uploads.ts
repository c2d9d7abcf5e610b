import { lockTables } from './lock-tables.js';

/** The time at which an upload is removed that no run has taken. Its `thread_id` is empty. */
export const uploads = (schema: string): string => `
  ${lockTables(schema, 'blobs')}
  ALTER TABLE ${schema}.blobs ADD COLUMN expires_at bigint;
  CREATE INDEX blobs_expiring ON ${schema}.blobs (expires_at) WHERE expires_at IS NOT NULL;
`;

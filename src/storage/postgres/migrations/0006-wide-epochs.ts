/**
 * Room for epochs that are drawn and not counted. PostgreSQL writes the logs anew for it: allow for the disk space, and for a pause in
 * which nothing is appended, of some seconds for each gigabyte.
 */
export const wideEpochs = (schema: string): string => `
  ALTER TABLE ${schema}.runs ALTER COLUMN epoch TYPE bigint;
  ALTER TABLE ${schema}.batches ALTER COLUMN epoch TYPE bigint;
`;

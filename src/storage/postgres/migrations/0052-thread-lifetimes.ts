/** The lifetime of a thread, and when it was given. It counts from then, or from the thread's last change if that is later. */
export const threadLifetimes = (schema: string): string => `
  ALTER TABLE ${schema}.threads ADD COLUMN ttl_ms bigint, ADD COLUMN ttl_at bigint;
  CREATE INDEX threads_by_expiry ON ${schema}.threads ((greatest(updated_at, ttl_at) + ttl_ms)) WHERE ttl_ms IS NOT NULL;
`;

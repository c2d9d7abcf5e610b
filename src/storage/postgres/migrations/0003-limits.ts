/**
 * What one principal has used, over all instances. Not logged to disk: after a crash of the database everybody begins anew,
 * which is what a limit per minute comes to anyway.
 */
export const limits = (schema: string): string => `
  CREATE UNLOGGED TABLE ${schema}.run_starts (
    principal text PRIMARY KEY,
    -- The moments of the starts that still count.
    hits bigint[] NOT NULL
  );

  CREATE UNLOGGED TABLE ${schema}.open_streams (
    id text PRIMARY KEY,
    principal text NOT NULL,
    -- Of a dead process: nobody prolongs it, and the place is free again.
    held_until bigint NOT NULL
  );
  CREATE INDEX open_streams_of_principal ON ${schema}.open_streams (principal);
`;

/** Messages to runs that are under way, as JSON, and whether the run has not taken one of them. */
export const runMessages = (schema: string): string => `
  ALTER TABLE ${schema}.runs
    ADD COLUMN messages text,
    ADD COLUMN message_waits boolean NOT NULL DEFAULT false`;

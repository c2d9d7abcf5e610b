/** The marks of owners on their threads. `read_at` is the last change that the owner has seen; null: everything. */
export const threadMarks = (schema: string): string => `
  ALTER TABLE ${schema}.threads
    ADD COLUMN pinned boolean NOT NULL DEFAULT false,
    ADD COLUMN archived boolean NOT NULL DEFAULT false,
    ADD COLUMN read_at bigint;
`;

/** The notes of a thread's owner, as JSON. Null: none. */
export const threadMetadata = (schema: string): string => `
  ALTER TABLE ${schema}.threads ADD COLUMN metadata text;
`;

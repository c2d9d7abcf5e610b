/** Small facts that all instances share. Text and not jsonb: PostgreSQL's JSON holds no NUL, and the order of bytes is the order of names. */
export const sharedState = (schema: string): string => `
  CREATE TABLE ${schema}.shared_state (
    name text COLLATE "C" PRIMARY KEY,
    value text NOT NULL
  );
`;

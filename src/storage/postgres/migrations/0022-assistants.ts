/** Configurations of agents that users have made. Text and not jsonb: PostgreSQL's JSON holds no NUL. */
export const assistants = (schema: string): string => `
  CREATE TABLE ${schema}.assistants (
    ordinal bigint GENERATED ALWAYS AS IDENTITY,
    tenant text NOT NULL,
    user_id text NOT NULL,
    id text COLLATE "C" NOT NULL,
    revision integer NOT NULL,
    document text NOT NULL,
    PRIMARY KEY (tenant, user_id, id)
  );
`;

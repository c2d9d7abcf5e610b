/** The long-term memory of agents. A path is the labels of a namespace, and the order of bytes is the order of paths. */
export const items = (schema: string): string => `
  CREATE TABLE ${schema}.items (
    -- The order of creation.
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text NOT NULL,
    -- Empty: shared by the users of the tenant.
    user_id text NOT NULL,
    path text COLLATE "C" NOT NULL,
    -- JSON, as the path and the value: PostgreSQL's text holds no NUL.
    key text COLLATE "C" NOT NULL,
    value text NOT NULL,
    vectors bytea,
    bytes integer NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    ttl_ms bigint,
    expires_at bigint
  );
  CREATE UNIQUE INDEX items_by_name ON ${schema}.items (tenant, user_id, path, key);
  CREATE INDEX items_kept ON ${schema}.items (tenant, user_id, id, bytes);
  CREATE INDEX items_to_expire ON ${schema}.items (expires_at) WHERE expires_at IS NOT NULL;
`;

/** The vectors of items once more, as numbers that the extension pgvector reads. It need not be there. */
export const itemNumbers = (schema: string): string => `
  ALTER TABLE ${schema}.items
    -- All vectors of the item, one after the other. Written only if pgvector is there.
    ADD COLUMN numbers real[],
    -- Length of one of them.
    ADD COLUMN dims integer,
    -- The change that they belong to, as updated_at. An older version of this software does not write them.
    ADD COLUMN numbers_at bigint;
  ALTER TABLE ${schema}.items ALTER COLUMN numbers SET STORAGE EXTERNAL;
`;

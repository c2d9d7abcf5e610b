/** What a start gave its agent beside the message, as JSON. Null: nothing. */
export const givenInput = (schema: string): string => `
  ALTER TABLE ${schema}.runs ADD COLUMN given text;
`;

/** The place in a trace that the owners of a run continue. Null if traces were off. */
export const traceparent = (schema: string): string => `
  ALTER TABLE ${schema}.runs ADD COLUMN traceparent text;
`;

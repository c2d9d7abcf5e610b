import { lockTables } from './lock-tables.js';

/** The judgement of the person who asked, as JSON, and when it was last changed. */
export const feedback = (schema: string): string => `
  ${lockTables(schema, 'runs')}
  ALTER TABLE ${schema}.runs ADD COLUMN feedback text, ADD COLUMN feedback_at bigint;
`;

/** The run that continues another. */
export const continuedRuns = (schema: string): string => `
  CREATE INDEX runs_by_continued ON ${schema}.runs (resume_of, ordinal) WHERE resume_of IS NOT NULL;
`;

/** Beside LangGraph's own tables, which it migrates itself: in which order the results of a step's tasks are applied. */
export const checkpointPaths = (schema: string): string => `
  CREATE TABLE ${schema}.checkpoint_task_paths (
    thread_id text NOT NULL,
    checkpoint_ns text NOT NULL,
    checkpoint_id text NOT NULL,
    task_id text NOT NULL,
    path text NOT NULL,
    PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id, task_id)
  );
`;

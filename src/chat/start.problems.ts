/** What `RunService.start` refuses, whatever words a start is asked for in: for the API's description of each route that starts a run. */
export const START_PROBLEMS = [
  'REQUEST_TOO_LARGE',
  'AGENT_UNKNOWN',
  'NOT_FOUND',
  'THREAD_BUSY',
  'APPROVAL_PENDING',
  'IDEMPOTENCY_CONFLICT',
] as const;

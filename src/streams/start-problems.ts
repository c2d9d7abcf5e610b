/** Error codes of `RunService.start`, in any protocol: the API's description lists them on each route that starts a run. */
export const START_PROBLEMS = [
  'REQUEST_TOO_LARGE',
  'AGENT_UNKNOWN',
  'NOT_FOUND',
  'THREAD_BUSY',
  'INPUT_PENDING',
  'IDEMPOTENCY_CONFLICT',
  'FILE_REFUSED',
  'FILE_NOT_ACCEPTED',
  'FILES_FULL',
] as const;

import { sentence } from './sentences.js';

/**
 * Describes why a message was not sent: `{ message, remedies, retryAt?, needsSignIn? }`. The remedies are `retry` and `edit`: a message that the server
 * would refuse again can only be edited.
 */
export function toProblem(error) {
  const { retryAfterMs, needsSignIn } = error;
  const again = error.passing || needsSignIn || error.status === 0;
  return {
    message: sentence(error),
    remedies: again ? ['retry', 'edit'] : ['edit'],
    ...(retryAfterMs && { retryAt: Date.now() + retryAfterMs }),
    ...(needsSignIn && { needsSignIn }),
  };
}

/** Describes why a run can no longer be followed. */
export function whyNotFollowed(error) {
  // Deleted, or missing from the backup that was restored: there is nothing to reconnect to.
  if (error.code === 'NOT_FOUND')
    return { message: 'This answer is no longer on the server.', remedies: ['retry'], gone: true };
  return { message: sentence(error), remedies: ['reconnect'], needsSignIn: error.needsSignIn };
}

/** Resolves with the result of a request. Undefined: it was aborted, so that neither the result nor an error is of interest. */
export function unlessAborted(request, signal) {
  const fail = (error) => {
    if (!signal.aborted) throw error;
  };
  return request.then((result) => (signal.aborted ? undefined : result), fail);
}

/** Resolves with the result of a request. Undefined: it was aborted, so that neither the result nor an error is of interest. */
export function unlessAborted(request, signal) {
  const fail = (error) => {
    if (!signal.aborted) throw error;
  };
  return request.then((result) => (signal.aborted ? undefined : result), fail);
}

/** Why something did not work, for people. */
export function sentence(error) {
  if (error.needsSignIn) return 'You need to sign in to go on.';
  switch (error.code) {
    case 'UNREACHABLE':
      return navigator.onLine ? 'The server cannot be reached.' : 'You are offline.';
    case 'NOT_FOUND':
      return 'This conversation is not there, or it is not yours.';
    case 'RATE_LIMITED':
    case 'TOO_MANY_STREAMS':
      return error.retryAfterMs
        ? `${closed(error.message)} Try again in ${Math.ceil(error.retryAfterMs / 1000)} s.`
        : closed(error.message);
    default:
      return closed(error.message);
  }
}

/** The text as a sentence with an end. */
export function closed(text) {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}

const TOOL_OUTCOMES = {
  ok: 'done',
  error: 'failed',
  'invalid-input': 'called wrongly',
  'unknown-tool': 'no such tool',
  denied: 'not allowed',
  timeout: 'took too long',
  cancelled: 'stopped',
};

/** How a tool call ended, in a word or two. */
export function toolOutcome(outcome) {
  return TOOL_OUTCOMES[outcome] ?? outcome;
}

/** A tool's label without its ellipsis, for sentences. */
export function plainLabel(label) {
  return label.replace(/\s*(…|\.\.\.)$/, '');
}

/** Returns a sentence for people that explains an error. */
export function sentence(error) {
  if (error.needsSignIn) return 'Your session has ended. Sign in to continue.';
  switch (error.code) {
    case 'UNREACHABLE':
      return navigator.onLine ? 'The server cannot be reached.' : 'You are offline.';
    case 'NOT_FOUND':
      return "This conversation doesn't exist, or you don't have access.";
    case 'RATE_LIMITED':
    case 'TOO_MANY_STREAMS':
      // The time is counted down beside it.
      return closed(error.message.replace(/\s*Try again in \d+ s\.?$/, ''));
    case 'REQUEST_TOO_LARGE':
      return `${closed(error.message)} Shorten your message, and send it again.`;
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
  'invalid-input': 'bad input',
  'unknown-tool': 'no such tool',
  denied: 'not allowed',
  timeout: 'took too long',
  cancelled: 'stopped',
  'awaiting-input': 'asks',
};

/** Returns the outcome of a tool call in a word or two. */
export function toolOutcome(outcome) {
  return TOOL_OUTCOMES[outcome] ?? outcome;
}

/** A tool's label without its ellipsis, for sentences. */
export function plainLabel(label) {
  return label.replace(/\s*(…|\.\.\.)$/, '');
}

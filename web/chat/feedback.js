/**
 * Returns the function that rates an answer of a conversation, or withdraws its feedback (null), and tells the person. It returns true once that is
 * stored.
 */
export function rateIn(conversation, { say, complain }) {
  return async (runId, feedback) => {
    try {
      await conversation.rate(runId, feedback);
      say(feedback ? 'Thank you for the feedback.' : 'The feedback is withdrawn.');
      return true;
    } catch (error) {
      complain(error);
      return false;
    }
  };
}

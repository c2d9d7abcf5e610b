/**
 * Returns the function that rates an answer of a conversation, or withdraws its feedback (null), and tells the person. It returns true once that is
 * stored, and false if it is not, or the person has changed their mind meanwhile.
 */
export function rateIn(conversation, { say, complain }) {
  return async (runId, feedback) => {
    try {
      if (!(await conversation.rate(runId, feedback))) return false;
      say(feedback ? 'Thank you for the feedback.' : 'The feedback is withdrawn.');
      return true;
    } catch (error) {
      complain(error);
      return false;
    }
  };
}

/** Stores feedback on answers. That on one answer is stored in the order of the clicks: after the one on its way, the newest. */
export class Ratings {
  #chat;
  #list;
  #onChange;
  /** By run, while something is on its way: `wanted`, the newest; `stored`, as the server has it; `work`, the promise. */
  #pending = new Map();

  /** @param parts `chat`, a ChatService; `list`, an EntryList; `onChange()`, called when it shows another */
  constructor({ chat, list, onChange }) {
    this.#chat = chat;
    this.#list = list;
    this.#onChange = onChange;
  }

  /**
   * Shows feedback at once, and stores it. Rejects with why that did not work; then what the server has is shown.
   *
   * @param before the feedback that was shown
   * @returns true once it is stored; false: the person has changed their mind meanwhile
   */
  async rate(runId, feedback, before) {
    const rating = this.#pending.get(runId) ?? { stored: before };
    this.#pending.set(runId, rating);
    rating.wanted = feedback;
    this.#show(runId, feedback);
    rating.work ??= this.#store(runId, rating);
    try {
      await rating.work;
    } catch (error) {
      if (rating.wanted === feedback) throw error;
    }
    return rating.wanted === feedback;
  }

  /** @param feedback null if there is none */
  #show(runId, feedback) {
    // Another conversation may be shown by now.
    this.#list.change(this.#list.findAnswer(runId)?.key, { feedback: feedback ?? undefined });
    this.#onChange();
  }

  async #store(runId, rating) {
    try {
      for (let isNewest = false; !isNewest;) {
        const { wanted } = rating;
        try {
          await this.#chat.rate(runId, wanted);
          rating.stored = wanted;
        } catch (error) {
          if (rating.wanted === wanted) throw error;
        }
        isNewest = rating.wanted === wanted;
      }
    } finally {
      this.#pending.delete(runId);
      this.#show(runId, rating.stored);
    }
  }
}

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

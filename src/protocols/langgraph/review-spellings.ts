/**
 * Returns a question of LangChain's human-in-the-loop middleware with the names of its fields in both spellings. In Python they have underscores, and
 * pages that were made for graphs in Python read no others. Any other value stays as it is.
 */
export function spellBoth(value: unknown): unknown {
  if (!isReview(value)) return value;
  const { actionRequests, reviewConfigs } = value;
  const configs = reviewConfigs.map((config) => ({
    ...config,
    ...(config.actionName !== undefined && { action_name: config.actionName }),
    ...(config.allowedDecisions !== undefined && { allowed_decisions: config.allowedDecisions }),
  }));
  return { ...value, reviewConfigs: configs, action_requests: actionRequests, review_configs: configs };
}

/** Returns the answer to such a question with the names that the middleware reads here. */
export function spellAnswer(asked: unknown, answer: unknown): unknown {
  if (!isReview(asked)) return answer;
  const { decisions } = (answer ?? {}) as { readonly decisions?: unknown };
  if (!Array.isArray(decisions)) return answer;
  return { ...(answer as object), decisions: decisions.map(spellDecision) };
}

function spellDecision(decision: unknown): unknown {
  if (typeof decision !== 'object' || decision === null || !('edited_action' in decision)) return decision;
  const { edited_action: editedAction, ...rest } = decision;
  return { editedAction, ...rest };
}

interface Review {
  readonly actionRequests: readonly unknown[];
  readonly reviewConfigs: readonly { readonly actionName?: unknown; readonly allowedDecisions?: unknown }[];
}

/** True for a question of the middleware, as JavaScript spells it. */
export function isReview(value: unknown): value is Review {
  const { actionRequests, reviewConfigs } = (value ?? {}) as Partial<Review>;
  return Array.isArray(actionRequests) && Array.isArray(reviewConfigs);
}

import type { InputAnswer, RequestedInput } from '../events/requested-input.js';

/** Returns the reason why such an answer cannot be given to that request; undefined if it can. */
export function refuseAnswer(asked: RequestedInput, answer: InputAnswer): string | undefined {
  switch (asked.kind) {
    case 'approval':
      return answer.decision === 'answer' ? 'Approve the call, edit it or deny it.' : undefined;
    case 'interrupt':
      if (answer.decision !== 'answer') return 'This is answered by a value: { decision: "answer", value }.';
      return refuseValue(answer.value) ?? refuseDecisions(asked.value, answer.value);
    case 'client-tool':
    case 'elicitation':
      if (answer.decision === 'deny') return undefined;
      if (answer.decision !== 'answer') return 'Answer by { decision: "answer", value }, or deny it.';
      return refuseValue(answer.value);
    default:
      asked satisfies never;
      return 'This version does not know what is asked.';
  }
}

function refuseValue(value: unknown): string | undefined {
  return value === undefined ? 'value: Send a value. Any JSON value is accepted, including null.' : undefined;
}

/**
 * LangChain's human-in-the-loop middleware throws when its answer has another shape, and the run would fail with it: the person who answers can
 * still mend it.
 */
function refuseDecisions(asked: unknown, value: unknown): string | undefined {
  const reviews = reviewsIn(asked);
  if (!reviews) return undefined;
  const decisions: unknown = (value as { readonly decisions?: unknown } | null)?.decisions;
  if (!Array.isArray(decisions) || decisions.length !== reviews.length)
    return `value: Send { decisions }, with ${reviews.length} of them: one for each call, in their order.`;
  for (const [index, allowed] of reviews.entries()) {
    const { type } = (decisions[index] ?? {}) as { readonly type?: unknown };
    if (typeof type !== 'string' || !allowed.includes(type))
      return `value.decisions[${index}].type: Use one of ${allowed.join(', ')}.`;
  }
  return undefined;
}

/** Returns the decisions that are allowed on each call that the middleware asks about; undefined for another kind of question. */
function reviewsIn(asked: unknown): readonly (readonly string[])[] | undefined {
  const { actionRequests, reviewConfigs } = (asked ?? {}) as {
    readonly actionRequests?: readonly { readonly name?: string }[];
    readonly reviewConfigs?: readonly {
      readonly actionName?: string;
      readonly allowedDecisions?: readonly string[];
    }[];
  };
  if (!Array.isArray(actionRequests) || !Array.isArray(reviewConfigs)) return undefined;
  return actionRequests.map(({ name }: { readonly name?: string }) => {
    const config = reviewConfigs.find(({ actionName }) => actionName === name);
    return config?.allowedDecisions ?? ['approve', 'edit', 'reject'];
  });
}

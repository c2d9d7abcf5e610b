import type { ApprovalRequest } from '../../events/run-event.js';

/** What a run waits for, as LangGraph's states and streams name it. */
export interface LangGraphInterrupt {
  readonly id: string;
  readonly value: unknown;
}

/** In the shape of LangChain's human-in-the-loop middleware, which its components know how to show. */
export function interruptOf({
  approvalId,
  toolName,
  label,
  input,
}: Omit<ApprovalRequest, 'type'>): LangGraphInterrupt {
  return {
    id: approvalId,
    value: {
      actionRequests: [{ name: toolName, args: input, description: label }],
      reviewConfigs: [{ actionName: toolName, allowedDecisions: ['approve', 'edit', 'reject'] }],
    },
  };
}

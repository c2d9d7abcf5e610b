import { AppError } from '../../errors.js';
import type { Principal } from '../../principal.js';
import type { GivenInput } from '../agent.js';
import type { LangGraphAgentOptions } from './langgraph-agent.options.js';

/** @throws AppError REQUEST_INVALID if the agent takes no tools of its client, or not these */
export function checkClientTools(
  { clientTools = [] }: GivenInput,
  principal: Principal,
  { name, takesClientTools, tracking }: LangGraphAgentOptions,
): void {
  if (clientTools.length === 0) return;
  if (!takesClientTools) {
    throw new AppError(
      'REQUEST_INVALID',
      `clientTools: The agent '${name}' takes no tools of its client. Leave them out.`,
    );
  }
  tracking.checkClientTools(clientTools, principal);
}

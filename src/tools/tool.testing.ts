import type { ToolContext, ToolProgressUpdate } from './agent-tool.js';
import type { Principal } from '../principal.js';

export const SOMEBODY: Principal = { userId: 'ada', tenant: 'acme', roles: [] };

/** The context of a call for a spec, which can read what progress it reported. */
export function callContext(
  fields: Partial<ToolContext> = {},
): ToolContext & { readonly updates: ToolProgressUpdate[] } {
  const updates: ToolProgressUpdate[] = [];
  return {
    runId: 'run',
    threadId: 'thread',
    toolCallId: 'call',
    principal: SOMEBODY,
    signal: new AbortController().signal,
    idempotencyKey: 'run:step:call',
    mayReach: async () => true,
    ask: async () => ({ action: 'cancel' }),
    progress: (update) => void updates.push(update),
    updates,
    ...fields,
  };
}

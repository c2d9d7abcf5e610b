import type { Principal } from '../../principal.js';
import type { AgentContext, AgentInput, GivenInput } from '../agent.js';
import { ACTIVE_RUN, type ActiveRun } from './active-run.js';
import { KEEPS_STATES } from './checkpoint-history.js';
import { CHECKPOINT_FENCE, type CheckpointFence } from './checkpoint-fence.js';

/** Keys of `metadata` that LangGraph and its checkpointer write themselves. */
const OWN_METADATA = /^(langgraph_|checkpoint|ls_|lc_|__)|^(source|step|parents|writes|thread_id|run_id)$/;

/** A run as its graph finds it in `configurable`, under the names that LangGraph's platform uses. */
export function authConfigurable({ userId, tenant, roles }: Principal): Readonly<Record<string, unknown>> {
  return {
    langgraph_auth_user: {
      identity: userId,
      display_name: userId,
      is_authenticated: true,
      permissions: [...roles],
      tenant,
    },
    langgraph_auth_user_id: userId,
    langgraph_auth_permissions: [...roles],
  };
}

/**
 * Returns the `configurable` of a run: what its start gave, and what only this server says.
 *
 * @param agent the agent's name
 */
export function runConfigurable(
  agent: string,
  { configurable, keepsStates }: GivenInput,
  active: ActiveRun,
  { principal, runId, threadKey, epoch }: Pick<AgentContext, 'principal' | 'runId' | 'threadKey' | 'epoch'>,
): Readonly<Record<string, unknown>> {
  return {
    ...configurable,
    ...authConfigurable(principal),
    run_id: runId,
    // A platform's id of the request that started it. Here it is the run's own id, which stays the same after a takeover.
    langgraph_request_id: runId,
    assistant_id: agent,
    graph_id: agent,
    // LangGraph's name for where a graph's memory is. Not the id that a client may have minted: see the decision on it.
    thread_id: threadKey,
    [CHECKPOINT_FENCE]: { runId, epoch } satisfies CheckpointFence,
    ...(keepsStates && { [KEEPS_STATES]: true }),
    [ACTIVE_RUN]: active,
  };
}

/** The run's metadata, without the names that LangGraph keeps for its own. */
export function configMetadata(metadata: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(metadata).filter(([name]) => !OWN_METADATA.test(name)));
}

/** Returns the context that every graph gets. It overrides given values, so that callers cannot claim to be somebody else. */
export function toContext({ metadata }: Pick<AgentInput, 'metadata'>, { userId, tenant, roles }: Principal) {
  return { principal: { userId, tenant, roles: [...roles] }, metadata };
}

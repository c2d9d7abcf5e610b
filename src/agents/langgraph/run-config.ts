import type { Principal } from '../../principal.js';

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

/** The run's metadata, without the names that LangGraph keeps for its own. */
export function configMetadata(metadata: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(metadata).filter(([name]) => !OWN_METADATA.test(name)));
}

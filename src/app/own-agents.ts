import type { AgentReference } from '../agents/langgraph/graph.loader.js';
import { readLangGraphJson } from './langgraph-json.js';
import type { Settings } from './settings/settings.js';

/** The agent that is there without any of your own. */
export const BUILT_IN_AGENT = 'assistant';

/**
 * The graphs that the settings name, those of langgraph.json last.
 *
 * @throws Error when that file cannot be used
 */
export function ownAgents({
  AGENTS,
  LANGGRAPH_JSON,
}: Pick<Settings, 'AGENTS' | 'LANGGRAPH_JSON'>): readonly AgentReference[] {
  return LANGGRAPH_JSON === undefined ? AGENTS : [...AGENTS, ...readLangGraphJson(LANGGRAPH_JSON).agents];
}

/**
 * The names of all agents, the one first that answers when a request names none. The demo is left out where there is anything better: it would
 * answer strangers with made-up words.
 */
export function orderAgents({
  own,
  model,
  defaultAgent,
}: {
  readonly own: readonly string[];
  readonly model: string;
  readonly defaultAgent: string | undefined;
}): readonly string[] {
  const hasBuiltIn = own.length === 0 || model !== 'demo' || defaultAgent === BUILT_IN_AGENT;
  const names = hasBuiltIn && !own.includes(BUILT_IN_AGENT) ? [...own, BUILT_IN_AGENT] : own;
  return defaultAgent === undefined
    ? names
    : [defaultAgent, ...names.filter((name) => name !== defaultAgent)];
}

import type { AgentInput } from '../agent.js';
import type { LangGraphAgentOptions } from './langgraph-agent.options.js';

/** Returns the input of a run with what its agent adds. What the start says goes before. */
export function withDefaults(
  input: AgentInput,
  {
    defaults: { configurable, context } = {},
    keepsStates,
  }: Pick<LangGraphAgentOptions, 'defaults' | 'keepsStates'>,
): AgentInput {
  if (!configurable && !context && !keepsStates) return input;
  const { given } = input;
  return {
    ...input,
    given: {
      ...given,
      ...(configurable && { configurable: { ...configurable, ...given?.configurable } }),
      ...(context && { context: { ...context, ...given?.context } }),
      ...(keepsStates && { keepsStates }),
    },
  };
}

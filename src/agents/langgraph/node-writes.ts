import type { RunnableConfig } from '@langchain/core/runnables';
import { getConfig } from '@langchain/langgraph';
import { parseNamespace } from './active-run.js';
import type { Namespace } from './graph-fact.js';

/** Lists the keys that a task has written: its result is an update of the state, or pairs of channel and value. */
export function listKeys(result: unknown): string[] {
  if (Array.isArray(result))
    return result.flatMap((write: unknown) => (Array.isArray(write) ? [String(write[0])] : []));
  return typeof result === 'object' && result !== null ? Object.keys(result) : [];
}

/** Returns the option, which LangGraph's types do not have, that hands on what nodes write, each with its place. */
export function writeTo(write: (value: unknown, namespace: Namespace) => void): object {
  const writer = (value: unknown) => {
    const { configurable = {} } = (getConfig() as RunnableConfig | undefined) ?? {};
    write(value, parseNamespace(configurable));
  };
  return { writer };
}

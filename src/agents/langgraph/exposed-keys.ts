import { nameOption } from '../../option-names.js';
import type { CompiledGraph } from './graph-source.js';
import type { LangGraphAgentOptions } from './langgraph-agent.options.js';

/** Keys of a graph's state that people see. */
export interface ExposedKeys {
  has(key: string): boolean;
  /** All of them; undefined for a graph whose keys are known only when it returns. */
  readonly names: readonly string[] | undefined;
}

/** Key of the answer of a graph that was asked for one in a form: `responseFormat` of `createAgent`. */
export const STRUCTURED_RESPONSE = 'structuredResponse';

/** Messages are told as they are said. */
const MESSAGES = 'messages';

/** Returns the keys that an agent shows beside its messages; undefined if there are none. */
export function findExposedKeys(
  { outputChannels, channels }: CompiledGraph,
  exposed: LangGraphAgentOptions['exposeState'] = [STRUCTURED_RESPONSE],
): ExposedKeys | undefined {
  const output = outputChannels as string | readonly string[];
  const isFunctional = typeof output === 'string';
  if (isFunctional && exposed === true) return { has: (key) => isOwn(key), names: undefined };
  const wanted = typeof exposed === 'boolean' ? (exposed && !isFunctional ? output : []) : exposed;
  const names = wanted.filter((key) => isOwn(key) && (isFunctional || key in (channels as object)));
  if (names.length === 0) return undefined;
  return { has: (key) => names.includes(key), names: isFunctional ? undefined : names };
}

/** @throws TypeError if `exposeState` names a key that the graph does not have */
export function checkExposedKeys(
  { outputChannels, channels }: CompiledGraph,
  { name, exposeState }: Pick<LangGraphAgentOptions, 'name' | 'exposeState'>,
): void {
  if (typeof exposeState !== 'object' || typeof outputChannels === 'string') return;
  const unknown = exposeState.find((key) => key !== MESSAGES && !(isOwn(key) && key in (channels as object)));
  if (unknown === undefined) return;
  const keys = (outputChannels as readonly string[]).filter(isOwn);
  throw new TypeError(
    `${nameOption('exposeState of LangGraphAgent')} names '${unknown}', which the state of the graph '${name}' does not have. Keys: ${keys.join(', ') || 'none'}.`,
  );
}

/** True for a key of the graph's author: LangGraph has channels of its own. */
function isOwn(key: string): boolean {
  return key !== MESSAGES && !key.startsWith('__') && !key.includes(':');
}

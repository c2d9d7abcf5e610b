import type { BaseMessage } from '@langchain/core/messages';
import { convertMessagesToCompletionsMessageParams } from '@langchain/openai';
import { findRefusal } from './wire-history.js';

/** A provider: the strictest, or one that lets the agents of a team speak one after the other. */
export type Strictness = 'strictest' | 'roles may repeat';

/**
 * Refuses a conversation as a provider would, by the error that its client throws.
 *
 * @throws Error with status 400
 */
export function refuseUnlessStrict(messages: readonly BaseMessage[], strictness: Strictness): void {
  const wire = convertMessagesToCompletionsMessageParams({ messages: [...messages], model: 'strict' });
  const refusal = findRefusal(wire, {
    mayRepeatRoles: strictness === 'roles may repeat',
  });
  if (refusal !== undefined) throw Object.assign(new Error(refusal), { status: 400 });
}
